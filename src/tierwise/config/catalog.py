"""The metric catalog (`metrics.yaml`, DESIGN section 4.1): each number's one definition, owner and unit."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.durations import DurationText, WindowText

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Sql = Annotated[str, Field(min_length=1, max_length=10_000)]
Direction = Literal["up", "down", "none"]
Missing = Literal[0, "unknown", "fail"]
Dimension = Literal["revenue_potential", "market_reach", "strategic_alignment", "velocity"]
Scope = Literal["unit", "partner"]

NO_UNIT = "(none)"
"""The unit of rows that name none, and of a partner who has none."""


class Metric(Settings):
    """A named figure of a partner as of a date: a SQL aggregate over one event table, or a formula over metrics.

    Attributes:
        title: What people read for this figure.
        unit: The unit of the figure: a currency code, `deals`, `days`, `ratio`, ...
        from_: The event table whose rows are aggregated (`from` in the file).
        value: The SQL aggregate over those rows.
        where: A SQL condition that a row must meet to count.
        window: The stretch of time before the as-of date.
        offset: How far the whole window is shifted back (the same window a year ago).
        lag: How long figures take to become final; the window ends that long before the as-of date.
        per: For a two-level metric, the period of the inner aggregate.
        then: For a two-level metric, the outer aggregate over `value`, the inner result of each period.
        min_rows: Below this many counted rows the metric is unknown.
        missing: What a partner without counted rows gets: 0, unknown (SQL NULL), or fail.
        scope: Where partners are placed unit by unit (`units`), which rows count: the unit's, or always all of the
            partner's.
        formula: A SQL expression over other metrics and attributes.
        direction: Whether more is better; gives the model's monotone constraints.
        owner: Who answers for the definition.
        family: The group of metrics it is explained with.
        dimension: The value dimension it measures, if any.
        feature: Whether the models may use it.
        actionable: Whether a partner can raise it; the roadmap moves only such metrics.
        internal: Whether it stays in the house: no letter and no sentence for a partner names it or tells its value,
            nor those of a figure that is made from it.
        description: Anything else that a reader of the catalog should know.
    """

    title: str = ""
    unit: str = ""
    from_: Name | None = Field(default=None, alias="from")
    value: Sql | None = None
    where: Sql | None = None
    window: WindowText | None = None
    offset: DurationText | None = None
    lag: DurationText | None = None
    per: Literal["day", "month", "quarter", "year"] | None = None
    then: Sql | None = None
    min_rows: Annotated[int, Field(ge=1)] | None = None
    missing: Missing = "unknown"
    scope: Scope = "unit"
    formula: Sql | None = None
    direction: Direction = "none"
    owner: str = ""
    family: str = "other"
    dimension: Dimension | None = None
    feature: bool = True
    actionable: bool = False
    internal: bool = False
    description: str = ""

    @model_validator(mode="after")
    def _is_aggregate_or_formula(self) -> Self:
        if (self.formula is None) == (self.from_ is None):
            raise ValueError("a metric has either 'from' and 'value' (an aggregate) or 'formula'; write exactly one")
        if self.formula is not None:
            aggregate_only = ("value", "where", "window", "offset", "lag", "per", "then", "min_rows")
            extra = [name for name in aggregate_only if getattr(self, name) is not None]
            if extra:
                raise ValueError(f"a formula takes no {', '.join(repr(name) for name in extra)}")
            if self.scope == "partner":
                raise ValueError("a formula takes no 'scope'; it has that of the metrics it is made of")
        elif self.value is None or self.window is None:
            raise ValueError("an aggregate needs both 'value' and 'window'")
        if (self.per is None) != (self.then is None):
            raise ValueError("'per' and 'then' belong together: the inner value's period, the aggregate over periods")
        return self


class Unit(Settings):
    """What a partner's rows can be told apart by: a region, a country, a product, a solution area.

    A policy with `per` places every unit of a partner by the same metrics, made from the unit's rows alone. A partner
    has a unit from the first row that names it.

    Attributes:
        columns: The column that names the unit, by table; metrics of other tables count for every unit alike.
        home: An attribute that names a unit which the partner has also without a row.
        title: What people read for it.
    """

    columns: Annotated[dict[Name, Name], Field(min_length=1)]
    home: Name | None = None
    title: str = ""


class Catalog(Settings):
    """The whole of `metrics.yaml`.

    Attributes:
        metrics: The metrics, by name.
        units: What a partner's rows can be told apart by, for policies that place partners unit by unit.
    """

    metrics: Annotated[dict[Name, Metric], Field(min_length=1)]
    units: dict[Name, Unit] = Field(default_factory=dict)
