"""What a training says of its archetypes: one row per archetype, and what could not be done."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tierwise.archetypes.model import ArchetypeModel

PROFILE_COLUMNS = (
    "archetype_id", "archetype", "status", "partners", "share", "revenue_share", "stability", "sets_apart", "rule",
    "rule_precision", "rule_recall", "rules_accuracy", "typical_partner",
)  # fmt: skip
_TRAITS = 3
_LEAST_EFFECT = 0.1


def profile_table(model: ArchetypeModel) -> pd.DataFrame:
    """Describe every archetype in one row.

    Returns:
        Columns `PROFILE_COLUMNS`; `stability` is the bootstrap Jaccard, `sets_apart` the metrics whose typical
        percentile is farthest from the middle, `rules_accuracy` the accuracy of the surrogate tree. No rows without
        archetypes.
    """
    if not model.supported:
        return pd.DataFrame(columns=list(PROFILE_COLUMNS))
    rules = model.tables["rules"].drop(columns=["partners", "rule", "accuracy"], errors="ignore")
    table = model.tables["profiles"].merge(rules, on="archetype_id", how="left")
    table["sets_apart"] = [_sets_apart(model.tables["traits"], archetype_id) for archetype_id in table["archetype_id"]]
    renamed = {
        "jaccard": "stability", "precision": "rule_precision", "recall": "rule_recall", "accuracy": "rules_accuracy"
    }  # fmt: skip
    return table.rename(columns=renamed)[list(PROFILE_COLUMNS)]


def _sets_apart(traits: pd.DataFrame, archetype_id: str) -> str:
    own = traits[(traits["archetype_id"] == archetype_id) & (traits["effect"].abs() >= _LEAST_EFFECT)].head(_TRAITS)
    return ", ".join(
        f"{title} (percentile {100 * percentile:.0f})"
        for title, percentile in zip(own["title"], own["percentile"], strict=True)
    )


def archetype_notes(model: ArchetypeModel) -> Iterator[str]:
    """Say what could not be done, and what to beware of."""
    if not model.supported:
        yield f"no_archetypes: {model.sentence}"
        return
    for archetype in model.archetypes:
        if archetype.status != "named":
            found = f"found again in bootstrap samples with an overlap of {archetype.jaccard:.2f}"
            yield f"archetype_{archetype.status}: {archetype.name or archetype.archetype_id} is {found}"
    checks = model.tables["checks"]
    for against, overlap in checks.loc[checks["only_this"], ["against", "overlap"]].itertuples(index=False):
        yield f"archetypes_repeat: the archetypes say little more than {against} does (overlap {overlap:.2f} of 1)"
    events = model.tables["events"]
    for event in events[~events["event"].isin(["kept"])].itertuples():
        if event.event != "new" or "kept" in set(events["event"]):
            other = f" ({event.other_id})" if isinstance(event.other_id, str) else ""
            yield f"archetype_{event.event}: {event.archetype_id}{other}"
