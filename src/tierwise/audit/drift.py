"""Drift: do the partners to be scored still look like those that the model learned from?

Half of the level goes to the tests of single features, half to the test of all together, so that the chance of any
false alarm stays below it. Nothing here says how good the model still is: without labels that would be a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from tierwise.audit.rows import MOST_PARTNERS, drawn_partners
from tierwise.audit.single import COLUMNS, SIZES, feature_tests, figure
from tierwise.audit.together import PAIR_COLUMNS, separation
from tierwise.config.model_spec import FeatureSet

Verdict = Literal["drift", "no_drift", "not_enough_evidence"]
TOGETHER = "all features together"
# The areas under the ROC curve of two normals that differ as much as the marks of the stability index say.
_MODERATE_AUC, _LARGE_AUC = 0.588, 0.638
_NAMED = 3


@dataclass(frozen=True)
class DriftSettings:
    """How drift is looked for.

    Attributes:
        level: The chance of any false alarm where nothing drifted.
        permutations: Label permutations of the classifier test.
        most_partners: At most how many partners of the rows to be scored are looked at; a seeded sample beyond.
        least_partners: With fewer partners on either side nothing is said.
    """

    level: float = 0.05
    permutations: int = 199
    most_partners: int = MOST_PARTNERS
    least_partners: int = 30


@dataclass(frozen=True)
class Drift:
    """What was found.

    Attributes:
        tests: One row per test: columns of `single.COLUMNS`; the last is of all features together.
        pairs: Pairs of metrics whose rank correlation changed most: `feature, other, before, after, change`.
        verdict: Whether drift is shown.
        settings: How it was looked for.
        before: Partners of the training that were compared.
        after: Partners to be scored that were compared.
        known: All partners to be scored; more than `after` where a sample was drawn.
    """

    tests: pd.DataFrame
    pairs: pd.DataFrame
    verdict: Verdict
    settings: DriftSettings
    before: int
    after: int
    known: int

    @property
    def drifted(self) -> pd.DataFrame:
        """The tests that show drift, the largest first."""
        found = self.tests[self.tests["drifted"]]
        return found.sort_values(["psi", "feature"], ascending=[False, True], kind="stable", ignore_index=True)

    def is_at_least(self, size: str) -> bool:
        """Whether drift of this size (slight, moderate, large) or more is shown."""
        return bool((self.drifted["size"].map(SIZES.index) >= SIZES.index(size)).any())

    @property
    def sentence(self) -> str:
        """What drifted and how much, in words."""
        sample = f" (a sample of {self.known:,})" if self.after < self.known else ""
        compared = f"{self.after:,} partners to be scored{sample} beside {self.before:,} of the training"
        if self.verdict == "not_enough_evidence":
            return f"Not enough evidence: {compared}, at least {self.settings.least_partners} of each are needed."
        alarm = f"the chance of a false alarm is at most {100 * self.settings.level:.0f} %"
        if self.verdict == "no_drift":
            return f"No drift is shown: {compared}; {alarm}."
        single = self.drifted[self.drifted["kind"] != "together"]
        said = [*self._singles(single), *self._together(single)]
        return f"Drift is shown ({compared}; {alarm}). {' '.join(said)}"

    @property
    def todo(self) -> str:
        """What to do about it."""
        if self.verdict == "not_enough_evidence":
            return "Compare again when more partners are known; until then look at the rows themselves."
        if self.verdict == "no_drift":
            return "Nothing has to be done."
        if not self.is_at_least("moderate"):
            return "It is slight: look whether a source or a definition changed; the next regular retrain takes it in."
        return (
            "First rule out a fault: a source that changed, a column that is no longer filled, a metric that was "
            "redefined. If the channel itself changed, train again and compare the challenger before the next review; "
            "until then trust ranks more than amounts, and read intervals as too narrow."
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return {"drift": self.tests, "drift_pairs": self.pairs}

    def _singles(self, single: pd.DataFrame) -> list[str]:
        if single.empty:
            return []
        parts = [_moved(row) for row in single.head(_NAMED).itertuples()]
        rest = f"; and {len(single) - _NAMED} more" if len(single) > _NAMED else ""
        return [f"Moved: {'; '.join(parts)}{rest}."]

    def _together(self, single: pd.DataFrame) -> list[str]:
        own = self.tests[self.tests["kind"] == "together"].iloc[0]
        if not own["drifted"]:
            return []
        said = f"A classifier tells the two sides apart (AUC {own['statistic']:.2f}, .50 is not at all)"
        if len(single) or self.pairs.empty:
            return [f"{said}."]
        most = self.pairs.iloc[0]
        return [
            f"{said} though no feature alone shows it: the way they go together changed, most for “{most['feature']}” "
            f"with “{most['other']}” (rank correlation {most['before']:.2f}, now {most['after']:.2f})."
        ]


def detect_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    features: FeatureSet,
    seed: int,
    settings: DriftSettings | None = None,
) -> Drift:
    """Compare the rows to be scored with those of the training.

    Args:
        reference: What `reference_rows` drew from the training rows.
        current: Metric rows of one as-of date, one per partner.
        features: The columns that the models use.
        seed: Seed of the sample, the folds and the permutations.
        settings: How; the defaults if none.
    """
    how = settings or DriftSettings()
    kept = current["partner_id"].isin(drawn_partners(current["partner_id"], seed, how.most_partners))
    rows = current[kept].sort_values("partner_id", kind="stable", ignore_index=True)
    empty = Drift(
        pd.DataFrame(columns=list(COLUMNS)).astype({"drifted": bool}), pd.DataFrame(columns=list(PAIR_COLUMNS)),
        "not_enough_evidence", how, len(reference), len(rows), len(current),
    )  # fmt: skip
    usable = any(name in rows.columns and name in reference.columns for name in (*features.names, *features.attributes))
    if min(len(reference), len(rows)) < how.least_partners or not usable:
        return empty
    single = feature_tests(reference, rows, features, how.level / 2)
    apart = separation(reference, rows, features, how.permutations, seed)
    tests = pd.concat([single, _together_row(apart.auc, apart.p_value, empty)], ignore_index=True)
    # On the scale of the whole level, so that a reader can hold them against it.
    tests["p_adjusted"] = (2 * tests["p_adjusted"]).clip(upper=1.0)
    verdict: Verdict = "drift" if tests["drifted"].any() else "no_drift"
    return replace(empty, tests=tests, pairs=apart.pairs, verdict=verdict)


def _together_row(auc: float, p_value: float, compared: Drift) -> pd.DataFrame:
    size = SIZES[int(auc >= _MODERATE_AUC) + int(auc >= _LARGE_AUC)]
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "feature": "all", "title": TOGETHER, "kind": "together", "test": "classifier", "statistic": auc,
        "p_value": p_value, "p_adjusted": p_value, "size": size,
        "drifted": p_value <= compared.settings.level / 2, "level": "", "known_before": compared.before,
        "known_after": compared.after, "outcome": "tested",
    }  # fmt: skip
    return pd.DataFrame([row], columns=list(COLUMNS))


def _moved(row: object) -> str:
    title, kind, size, level = (getattr(row, name) for name in ("title", "kind", "size", "level"))
    before, after = float(getattr(row, "before", np.nan)), float(getattr(row, "after", np.nan))
    if kind == "missing":
        return f"“{title}” is unknown for {_share(after)} of partners, was {_share(before)} ({size})"
    if level:
        return f"“{title}” is {level} for {_share(after)} of partners, was {_share(before)} ({size})"
    return f"the median of “{title}” is {figure(after)}, was {figure(before)} ({size})"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"
