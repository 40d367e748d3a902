"""Names from what sets a cluster apart, in words a partner manager would use.

A trait is how far the typical percentile of a metric in the cluster lies from the middle of all partners; percentiles
need no unit and no transform.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes.space import values_of
from tierwise.config.model_spec import Feature, FeatureSet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TRAIT_COLUMNS = (
    "archetype_place", "feature", "title", "family", "percentile", "effect", "median", "median_all", "share_above_zero"
)  # fmt: skip
Traits = tuple[tuple[str, int], ...]
_LEAST_EFFECT = 0.1
_WORDS = 2
_LONG_TITLE = 40
_NOT_COUNTED = frozenset({"days", "hours", "points", "months", "years", "weeks"})


@dataclass(frozen=True)
class Named:
    """A name with the traits it says."""

    name: str
    traits: Traits


def trait_table(rows: pd.DataFrame, labels: Ints, k: int, features: FeatureSet) -> pd.DataFrame:
    """Measure every metric in every cluster.

    Returns:
        Columns `TRAIT_COLUMNS`, per cluster the most telling metric first; `percentile` is the cluster's mean
        percentile (0 to 1), `effect` its distance from the middle.
    """
    found = [row for feature in features.metrics for row in _traits(rows, labels, k, feature)]
    table = pd.DataFrame(found, columns=list(TRAIT_COLUMNS))
    table["_size"] = table["effect"].abs().round(9)
    order = table.sort_values(["archetype_place", "_size", "feature"], ascending=[True, False, True])
    return order.drop(columns="_size").reset_index(drop=True)


def _traits(rows: pd.DataFrame, labels: Ints, k: int, feature: Feature) -> Iterator[tuple[object, ...]]:
    values = pd.Series(values_of(rows, feature.name))
    if values.nunique() < 2:
        return
    ranks = (values.rank() - 0.5) / values.notna().sum()
    for place in range(k):
        inside = labels == place
        if values[inside].notna().any():
            percentile = float(ranks[inside].mean())
            yield (
                place, feature.name, short_title(feature), feature.family, percentile, percentile - 0.5,
                float(values[inside].median()), float(values.median()), float((values[inside] > 0).mean()),
            )  # fmt: skip


def name_clusters(traits: pd.DataFrame, sizes: Sequence[int], features: FeatureSet) -> list[Named]:
    """Name every cluster, the largest first; names differ, if need be by one more trait.

    Args:
        traits: As `trait_table` returns.
        sizes: Partners per cluster.
        features: Units, to tell counts ("Many") from amounts ("High").
    """
    units = {feature.name: feature.unit for feature in features.metrics}
    names: dict[int, Named] = {}
    for place in sorted(range(len(sizes)), key=lambda place: (-sizes[place], place)):
        telling = _telling(traits[traits["archetype_place"] == place])
        taken = {named.name for named in names.values()}
        names[place] = _first_free(telling, taken, units)
    return [names[place] for place in range(len(sizes))]


def _telling(traits: pd.DataFrame) -> pd.DataFrame:
    """Keep the strongest trait of each family (title where none was declared), without long titles if it can."""
    strong = traits[traits["effect"].abs() >= _LEAST_EFFECT]
    wordy = strong["title"].str.len() > _LONG_TITLE
    strong = strong[~wordy] if (~wordy).sum() >= _WORDS else strong
    group = strong["family"].where(strong["family"] != "other", strong["title"])
    return strong[~group.duplicated()]


def _first_free(telling: pd.DataFrame, taken: set[str], units: dict[str, str]) -> Named:
    for words in range(min(_WORDS, len(telling)), len(telling) + 1):
        chosen = telling.head(words)
        rows = chosen.to_dict("records")
        parts = [_phrase(row, units) for row in rows] or ["Average profile"]
        name = ", ".join([parts[0], *(part[0].lower() + part[1:] for part in parts[1:])])
        if name not in taken:
            return Named(name, tuple((str(row["feature"]), int(np.sign(row["effect"]))) for row in rows))
    number = next(n for n in range(2, len(taken) + 3) if f"Average profile {n}" not in taken)
    free = "Average profile" if "Average profile" not in taken else f"Average profile {number}"
    return Named(free, ())


def _phrase(row: Mapping[Hashable, Any], units: Mapping[str, str]) -> str:
    title, unit = str(row["title"]), units.get(str(row["feature"]), "")
    counted = unit == "people" or (unit.endswith("s") and unit.islower() and unit not in _NOT_COUNTED)
    if row["effect"] > 0:
        return f"{'Many' if counted else 'High'} {title}"
    if counted and row["share_above_zero"] < 0.2:
        return f"No {title}"
    return f"{'Few' if counted else 'Low'} {title}"


def short_title(feature: Feature) -> str:
    """Return a metric's title without its window, starting small unless it starts with an abbreviation."""
    title = (feature.title or feature.name.replace("_", " ")).split(",")[0].split("(")[0].strip()
    first = title.split(" ")[0]
    return title if first.isupper() and len(first) > 1 else title[:1].lower() + title[1:]


def still_true(traits: Traits, table: pd.DataFrame) -> bool:
    """Tell whether a cluster still has the traits that its name says.

    Args:
        traits: The traits of the name in force.
        table: The cluster's rows of the new trait table.
    """
    effects = dict(zip(table["feature"], table["effect"], strict=True))
    return all(sign * effects.get(name, 0.0) >= _LEAST_EFFECT / 2 for name, sign in traits)
