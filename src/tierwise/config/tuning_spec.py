"""What `train --tune N` searches: the hyper-parameters named in `models/*.yaml`, each within its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.names import hint

Number = int | float
TUNABLE = ("glm", "trees")
_NOT_TUNABLE = frozenset({"trees.threads"})


class SearchRange(Settings):
    """The bounds within which one hyper-parameter is searched; whole numbers stay whole.

    Attributes:
        low: The least value tried.
        high: The greatest value tried.
        log: Whether small values are told apart as finely as large ones.
    """

    low: Number
    high: Number
    log: bool = False

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"'low' is {self.low}, not below 'high' {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"'low' is {self.low}; a search on the log scale needs more than 0")
        return self


_DEFAULT_SEARCH = {
    "glm.features": SearchRange(low=4, high=15),
    "glm.penalty": SearchRange(low=0.001, high=1.0, log=True),
    "glm.power": SearchRange(low=1.1, high=1.9),
    "trees.trees": SearchRange(low=50, high=500, log=True),
    "trees.learning_rate": SearchRange(low=0.02, high=0.2, log=True),
    "trees.leaves": SearchRange(low=4, high=31, log=True),
    "trees.depth": SearchRange(low=2, high=6),
    "trees.leaf_rows": SearchRange(low=10, high=200, log=True),
    "trees.feature_fraction": SearchRange(low=0.4, high=1.0),
    "trees.ridge": SearchRange(low=0.1, high=50.0, log=True),
    "trees.power": SearchRange(low=1.1, high=1.9),
}


class TuningSpec(Settings):
    """The search for better hyper-parameters.

    Attributes:
        folds: At most how many inner out-of-time folds are searched on; one more, later, is kept for the comparison.
        rows: At most how many training rows a trial sees; a seeded sample of partners beyond.
        confidence: Least bootstrap probability, on the fold that no trial has seen, that the tuned model ranks better
            than the default.
        search: The hyper-parameters that are searched, by their path (`trees.leaves`), each with its bounds.
    """

    folds: Annotated[int, Field(ge=1)] = 3
    rows: Annotated[int, Field(ge=100)] = 50_000
    confidence: Annotated[float, Field(gt=0, le=1)] = 0.9
    search: dict[str, SearchRange] = Field(default_factory=lambda: dict(_DEFAULT_SEARCH))


def search_faults(search: Mapping[str, SearchRange], settings: Mapping[str, Any]) -> list[str]:
    """Find names that are no hyper-parameters, and bounds that do not suit one.

    Args:
        search: The hyper-parameters that are searched, by path.
        settings: The default hyper-parameters: section, name, value.
    """
    known = {f"{section}.{name}": value for section in TUNABLE for name, value in settings[section].items()}
    known = {path: value for path, value in known.items() if path not in _NOT_TUNABLE}
    faults = [f"'tuning.search' names {path!r}; {hint(path, known)}" for path in search if path not in known]
    whole = [path for path in search if isinstance(known.get(path), int)]
    fractions = [path for path in whole for bound in _bounds(search[path]) if bound != int(bound)]
    return faults + [f"'tuning.search.{path}' takes whole numbers" for path in dict.fromkeys(fractions)]


def with_values(settings: Mapping[str, Any], values: Mapping[str, Number]) -> dict[str, Any]:
    """Return settings (section, name, value) with other values at some paths."""
    changed = {section: dict(part) if isinstance(part, Mapping) else part for section, part in settings.items()}
    for path, value in values.items():
        section, name = path.split(".")
        changed[section][name] = value
    return changed


def _bounds(searched: SearchRange) -> tuple[Number, Number]:
    return searched.low, searched.high
