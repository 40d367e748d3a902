"""Scores of a policy file: named sums of capped components that decompose exactly."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.catalog import Name
from tierwise.config.policy_rules import Number, Text

Points = Annotated[Number, Field(ge=0)]


class BandPoints(Settings):
    """The points from one bound of a figure on, until the next band.

    Attributes:
        from_: The least value of the band (`from` in the file).
        points: What the band is worth.
    """

    from_: Annotated[Number, Field(alias="from")]
    points: Number


class Component(Settings):
    """One part of a score, in one of three forms.

    Attributes:
        name: How the component is called; by default the dimension, or its place.
        dimension: The value dimension, or any other heading, that its points count for.
        points: A SQL expression of the points (form 1).
        of: A SQL expression of the figure that is rewarded (forms 2 and 3).
        full_at: The figure that gives `max` points; below it points are in proportion (form 2, partial credit).
        bands: The points by band of the figure; below the first band none (form 3).
        max: The most the component can give.
        min: The least a partner needs of it for the score to count as qualified.
        min_more_than: Likewise, but more than this is needed.
        unknown: What an unknown figure gives: an `unknown` score, or `zero` points.
    """

    name: Name | None = None
    dimension: Name | None = None
    points: Text | None = None
    of: Text | None = None
    full_at: Annotated[Number, Field(gt=0)] | None = None
    bands: tuple[BandPoints, ...] = ()
    max: Points | None = None
    min: Number | None = None
    min_more_than: Number | None = None
    unknown: Literal["unknown", "zero"] = "unknown"

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if (self.points is None) == (self.of is None):
            raise ValueError("a component has either 'points' or 'of', not both and not neither")
        if self.points is not None and (self.full_at is not None or self.bands):
            raise ValueError("'full_at' and 'bands' belong to 'of', not to 'points'")
        if self.of is not None and (self.full_at is None) == (not self.bands):
            raise ValueError("a component with 'of' has either 'full_at' (partial credit) or 'bands'")
        if self.full_at is not None and self.max is None:
            raise ValueError("partial credit needs 'max', the points given at 'full_at'")
        bounds = [band.from_ for band in self.bands]
        if bounds != sorted(set(bounds)):
            raise ValueError("bands must rise: each 'from' larger than the one before")
        return self


class Scorecard(Settings):
    """A list of components; the whole of a score, or one of its alternatives.

    Attributes:
        components: The parts, added up in this order.
        min_each_more_than: What every component must exceed for the score to count as qualified.
        when: For an alternative that is assigned by rule, the SQL condition of those it is for.
    """

    components: Annotated[tuple[Component, ...], Field(min_length=1)]
    min_each_more_than: Number | None = None
    when: Text | None = None


class Score(Settings):
    """A named score: one scorecard, the best of several, or the one assigned by a rule.

    Attributes:
        title: What people read for it.
        unit: The unit of its points.
        max: The cap of the total.
        components: The parts of a score with one scorecard.
        min_each_more_than: What every component must exceed for the score to count as qualified.
        best_of: Alternatives of which the best qualified one counts.
        first_of: Alternatives of which the first whose `when` holds counts.
    """

    title: str = ""
    unit: str = "points"
    max: Points | None = None
    components: tuple[Component, ...] = ()
    min_each_more_than: Number | None = None
    best_of: dict[Name, Scorecard] = Field(default_factory=dict)
    first_of: dict[Name, Scorecard] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        forms = [bool(self.components), bool(self.best_of), bool(self.first_of)]
        if sum(forms) != 1:
            raise ValueError("a score has exactly one of 'components', 'best_of' and 'first_of'")
        if self.min_each_more_than is not None and not self.components:
            raise ValueError("'min_each_more_than' belongs to each scorecard")
        if any(card.when is not None for card in self.best_of.values()):
            raise ValueError("'when' belongs to the scorecards of 'first_of'; 'best_of' tries all")
        return self

    @property
    def scorecards(self) -> dict[str, Scorecard]:
        """The alternatives by name; a score with one scorecard has one called `only`."""
        if self.components:
            only = Scorecard(components=self.components, min_each_more_than=self.min_each_more_than)
            return {"only": only}
        return self.best_of or self.first_of
