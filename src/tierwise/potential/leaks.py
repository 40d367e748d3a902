"""The alarm "too good": columns, and models, that know more of the future than an honest one can.

Features know nothing of the label's window. Moved one review later, they have seen its beginning, so an honest column
then tells more of it; one that tells less spoke of that very window on its own day, which only the future can have told
it. The same holds for the model as a whole. Attributes that never change cannot be moved in time; for them time is
turned round: a lasting trait tells as much of the past, given the future, as of the future, given the past.

Measured by ranks, beyond persistence, with a bootstrap over partners; docs/models.md says why not otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.leak_spec import LeakSpec
from tierwise.config.model_spec import FeatureSet
from tierwise.potential.bounds import of_some_partners
from tierwise.potential.gini import partner_weights
from tierwise.potential.leak_statistics import level_shares, partial_shares
from tierwise.potential.snapshots import closed, current_value, origins

Floats = NDArray[np.float64]
COLUMNS = ("subject", "kind", "code", "share", "yardstick", "probability", "reviews", "partners", "fired")
CODES = {
    "model_too_good": "the model knows more of the window than it does with figures that have seen its beginning",
    "metric_ahead": "the metric tells more of the window on its own day than a review later, when part of it is seen",
    "attribute_ahead": "the attribute tells far more of the future, given the past, than of the past, given the future",
    "attribute_from_history": "the attribute follows what the partner did on record, events after the review included",
    "not_tested": "no past review could be compared with a later one inside its window",
}
MODEL = "(the model as a whole)"
_MOVED = "moved_"
_TYPES = {
    **dict.fromkeys(("subject", "kind", "code"), "str"),
    **dict.fromkeys(("share", "yardstick", "probability"), "float64"), "reviews": "int64", "partners": "int64",
    "fired": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class Leaks:
    """What the guards against leaks looked at, and what they named.

    Attributes:
        tested: One row per column and guard, columns `COLUMNS`: `share` is the share of the label's rank variance
            beyond persistence that it tells of on its own day, `yardstick` what an honest one must at least reach
            (a review later, or of the past), `fired` whether it is named. Sorted by what fired and how strongly.
    """

    tested: pd.DataFrame

    @property
    def fired(self) -> pd.DataFrame:
        """The rows that are named."""
        return self.tested[self.tested["fired"]]

    @property
    def alarm(self) -> str:
        """`fired`, `quiet`, or `not_tested` where nothing could be compared."""
        if len(self.fired):
            return "fired"
        return "quiet" if (self.tested["reviews"] > 0).any() else "not_tested"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What fired, in words."""
        return tuple(f"{row.subject}: {CODES[str(row.code)]}{_figures(row)}" for row in self.fired.itertuples())


def _figures(row: object) -> str:
    share, yardstick, code = (getattr(row, name) for name in ("share", "yardstick", "code"))
    if code == "attribute_from_history":
        return f" ({share:.0%} of what chance leaves open follows from it)"
    return f" ({share:.0%} of what persistence leaves open, at most {yardstick:.0%} would be honest)"


def find_leaks(
    snapshots: pd.DataFrame, features: FeatureSet, spec: LeakSpec, as_of: pd.Timestamp, seed: int
) -> pd.DataFrame:
    """Look at every metric and attribute that the models may use.

    Args:
        snapshots: See `tierwise.potential.snapshots`.
        features: The columns to look at.
        spec: When a column is named.
        as_of: Only labels closed by this date are used.
        seed: Seed of the bootstrap and, for very many partners, of the sample.

    Returns:
        Columns `COLUMNS`, one row per metric and attribute; no rows where no review could be looked at.
    """
    labelled = _sampled(closed(snapshots, as_of), spec, seed)
    draws = _Draws.of(labelled, spec, seed)
    moved = _moved(labelled, snapshots, list(dict.fromkeys((*features.names, features.target))))
    rows = [_metric(moved, name, features.target, draws) for name in features.names]
    rows += [_attribute(labelled, name, features.target, draws) for name in features.attributes]
    return leaks_frame([row for row in rows if row is not None])


def model_leak(predictions: pd.DataFrame, spec: LeakSpec, seed: int) -> pd.DataFrame:
    """Look at the model as a whole, by its predictions in the back-test.

    Args:
        predictions: `model` on its own day, `moved` with the figures of the next review.
        spec: When the model is named.
        seed: Seed of the bootstrap.

    Returns:
        Columns `COLUMNS`; one row, or none where no review could be looked at.
    """
    kept = predictions.dropna(subset=["model", "moved"]).rename(columns={"actual": "label", "origin": "as_of"})
    kept = _sampled(kept, spec, seed)
    draws = _Draws.of(kept, spec, seed)
    row = _compare(_blocks(kept, spec), ("model_too_good", MODEL, "model"), draws, _model_shares)
    return leaks_frame([] if row is None else [row])


def leaks_frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Return rows of `COLUMNS`: what fired first, then the strongest first."""
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS)).astype(_TYPES)
    lead = (frame["share"] - frame["yardstick"]).rename("lead")
    order = pd.concat([frame[["fired", "subject"]], lead], axis="columns")
    order = order.sort_values(["fired", "lead", "subject"], ascending=[False, False, True], kind="stable")
    return frame.loc[order.index].reset_index(drop=True)


def merged_leaks(*frames: pd.DataFrame) -> pd.DataFrame:
    """Put the findings of several guards into one table, in its order."""
    return leaks_frame([{str(name): row[name] for name in COLUMNS} for frame in frames for _, row in frame.iterrows()])


@dataclass(frozen=True)
class _Draws:
    """The bootstrap samples of partners; the first row is the full sample."""

    spec: LeakSpec
    partners: pd.Index
    weights: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame, spec: LeakSpec, seed: int) -> _Draws:
        partners = pd.Index(sorted(rows["partner_id"].astype(str).unique()))
        count = len(partners)
        rng = np.random.default_rng([seed, 5])
        drawn = partner_weights(np.arange(count), count, spec.bootstraps, rng) if count else np.zeros((0, 0))
        return cls(spec, partners, np.vstack([np.ones((1, count)), drawn]))

    def of_rows(self, rows: pd.DataFrame, full: bool) -> Floats:
        """The weights of rows, shape (samples, n); of the full sample alone where that is all that is asked for."""
        places = self.partners.get_indexer(pd.Index(rows["partner_id"].astype(str)))
        return self.weights[: 1 if full else None, places]


def _sampled(rows: pd.DataFrame, spec: LeakSpec, seed: int) -> pd.DataFrame:
    return of_some_partners(rows, spec.rows, np.random.default_rng([seed, 6]))


def _moved(labelled: pd.DataFrame, snapshots: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Add to each labelled snapshot the partner's figures of the next review inside its window, as `moved_<name>`."""
    days = origins(snapshots)
    following = dict(pairwise(days))
    later = labelled["as_of"].map(following).astype(labelled["as_of"].dtype)
    rows = labelled.assign(later=later)[later.notna() & (later <= labelled["label_until"])]
    figures = snapshots[["as_of", "partner_id", *names]].rename(
        columns={"as_of": "later", **{name: f"{_MOVED}{name}" for name in names}}
    )
    return rows.merge(figures, on=["later", "partner_id"], how="inner", validate="many_to_one")


def with_moved(rows: pd.DataFrame, snapshots: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Give rows of one review the figures that the same partners had at the next review inside the window.

    Returns:
        The rows with those figures, and which of them have any; the others keep their own.
    """
    wanted = list(dict.fromkeys(names))
    found = _moved(rows, snapshots, wanted).set_index("partner_id")
    known = rows["partner_id"].isin(found.index)
    moved = rows.copy()
    for name in wanted:
        values = rows["partner_id"].map(found[f"{_MOVED}{name}"])
        moved[name] = values.where(known, rows[name])
    return moved, known


def _blocks(rows: pd.DataFrame, spec: LeakSpec, latest: bool = True) -> list[pd.DataFrame]:
    blocks = [block for _, block in rows.groupby("as_of", sort=True) if len(block) >= spec.partners]
    return blocks[-spec.origins :] if latest else blocks


_Shares = Callable[[pd.DataFrame, Floats], tuple[Floats, Floats]]


def _compare(
    blocks: Sequence[pd.DataFrame],
    what: tuple[str, str, str],
    draws: _Draws,
    shares: _Shares,
    least: float | None = None,
) -> dict[str, object] | None:
    """Compare what a column tells with its yardstick, pooled over reviews; None where there is no review.

    The bootstrap runs only where the difference is large enough to be named at all, and asks whether it is more than
    half of that: on few partners a difference that stands out may still be chance.
    """
    if not blocks:
        return None
    code, subject, kind = what
    least = draws.spec.gain if least is None else least
    own, yardstick = _pooled(blocks, draws, shares, full=True)
    probability = float("nan")
    if own[0] - yardstick[0] >= least:
        own_draws, yardstick_draws = _pooled(blocks, draws, shares, full=False)
        probability = float(np.mean(own_draws[1:] - yardstick_draws[1:] > least / 2))
    return {
        "subject": subject, "kind": kind, "code": code, "share": float(own[0]), "yardstick": float(yardstick[0]),
        "probability": probability, "reviews": len(blocks), "partners": sum(len(block) for block in blocks),
        "fired": bool(probability >= draws.spec.confidence),
    }  # fmt: skip


def _pooled(blocks: Sequence[pd.DataFrame], draws: _Draws, shares: _Shares, full: bool) -> tuple[Floats, Floats]:
    found = [shares(block, draws.of_rows(block, full)) for block in blocks]
    own, yardstick = zip(*found, strict=True)
    return np.mean(own, axis=0), np.mean(yardstick, axis=0)


def _numbers(rows: pd.DataFrame, name: str) -> Floats:
    return rows[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _model_shares(rows: pd.DataFrame, weights: Floats) -> tuple[Floats, Floats]:
    label, persistence = _numbers(rows, "label"), _numbers(rows, "persistence")
    own, moved = (partial_shares(_numbers(rows, name), label, persistence, weights) for name in ("model", "moved"))
    return own, moved


def _metric(moved: pd.DataFrame, name: str, target: str, draws: _Draws) -> dict[str, object] | None:
    def shares(rows: pd.DataFrame, weights: Floats) -> tuple[Floats, Floats]:
        label, given = _numbers(rows, "label"), current_value(rows, target)
        own, later = (partial_shares(_numbers(rows, n), label, given, weights) for n in (name, f"{_MOVED}{name}"))
        return own, later

    return _compare(_blocks(moved, draws.spec), ("metric_ahead", name, "metric"), draws, shares)


def _attribute(labelled: pd.DataFrame, name: str, target: str, draws: _Draws) -> dict[str, object] | None:
    """Look at an attribute over the earlier and the later half of the reviews; the more striking half counts.

    An attribute that tells of one period stands out only in the reviews whose windows lie there.
    """

    def shares(rows: pd.DataFrame, weights: Floats) -> tuple[Floats, Floats]:
        label, past = _numbers(rows, "label"), current_value(rows, target)
        return level_shares(rows[name], label, past, weights), level_shares(rows[name], past, label, weights)

    what, least = ("attribute_ahead", name, "attribute"), draws.spec.attribute_gain
    found = [
        _compare(half, what, draws, shares, least) for half in _halves(_blocks(labelled, draws.spec, latest=False))
    ]
    known = [row for row in found if row is not None]
    return (
        max(known, key=lambda row: (row["fired"], float(str(row["share"])) - float(str(row["yardstick"]))))
        if known
        else None
    )


def _halves(blocks: list[pd.DataFrame]) -> Iterator[list[pd.DataFrame]]:
    middle = (len(blocks) + 1) // 2
    yield blocks[:middle]
    yield blocks[-middle:] if middle else []
