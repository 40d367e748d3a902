"""How the guards against leaks judge: settings under `potential.leaks` of `models/*.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tierwise.config.base import Settings

_Share = Annotated[float, Field(gt=0, le=1)]
_Count = Annotated[int, Field(ge=1)]


class LeakSpec(Settings):
    """When a column, or the model, knows too much of the future.

    Shares are of the variance of the label's ranks that persistence leaves.

    Attributes:
        gain: How much more a metric, or the model, must tell on its own day than a review later before it is named.
        attribute_gain: How much more an attribute must tell of the future than of the past before it is named.
        follows: How closely a static attribute must follow the partner's history on record before it is named; 0 is
            no better than chance, 1 is without exception.
        confidence: Least bootstrap probability that the difference is more than half of that.
        bootstraps: Bootstrap samples of partners.
        origins: At most how many past reviews are looked at for metrics and the model, the latest first.
        partners: Reviews with fewer partners than this are not looked at.
        rows: At most how many partners are looked at; a seeded sample beyond.
    """

    gain: _Share = 0.08
    attribute_gain: _Share = 0.15
    follows: _Share = 0.9
    confidence: _Share = 0.99
    bootstraps: _Count = 200
    origins: _Count = 4
    partners: _Count = 30
    rows: _Count = 20_000
