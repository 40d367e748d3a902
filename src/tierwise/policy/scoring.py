"""Scores in SQL: capped components that add up exactly to the total.

Whatever keeps a total from being the plain sum of its components (the cap of the score) is a component itself, so the
parts always add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from tierwise.config.policy_scores import Component, Score, Scorecard
from tierwise.engine import to_tree
from tierwise.policy import sql
from tierwise.policy.reading import Reading

CAP = "cap"


@dataclass(frozen=True)
class ComponentColumn:
    """One component of one scorecard, and the columns that hold its points and what they are made of."""

    column: str
    name: str
    dimension: str
    max_points: float | None

    @property
    def figure(self) -> str:
        """The column of what it looks at; named once, because a query that repeats it is slow to plan."""
        return self.column.replace("#points", "#figure", 1)

    @property
    def reward(self) -> str:
        """The column of its points before they are capped and rounded."""
        return self.column.replace("#points", "#reward", 1)


@dataclass(frozen=True)
class Card:
    """One scorecard of a score in columns.

    Attributes:
        name: The alternative's name.
        components: Its components.
        total: The column of its capped total.
        short: The column that counts the components below their minimum.
    """

    name: str
    components: tuple[ComponentColumn, ...]
    total: str
    short: str


@dataclass(frozen=True)
class ScoreColumns:
    """A score in columns.

    Attributes:
        name: The score's name, which is the column of its total.
        cards: Its scorecards.
        chosen: The column with the place of the scorecard that counts; none for a score with one.
        short: The column that counts the components below their minimum, if the score has minima.
        stages: The columns to add, stage by stage.
    """

    name: str
    cards: tuple[Card, ...]
    chosen: str | None
    short: str | None
    stages: tuple[dict[str, exp.Expr], ...]


def score_columns(name: str, score: Score, reading: Reading) -> ScoreColumns:
    """Compile one score; faults of its expressions are collected by `reading`."""
    cards = [_card(name, card_name, card) for card_name, card in score.scorecards.items()]
    place = f"scores.{name}"
    figures: dict[str, exp.Expr] = {}
    rewards: dict[str, exp.Expr] = {}
    points: dict[str, exp.Expr] = {}
    totals: dict[str, exp.Expr] = {}
    for card, scorecard in zip(cards, score.scorecards.values(), strict=True):
        for column, component in zip(card.components, scorecard.components, strict=True):
            figures[column.figure] = _figure(component, reading, f"{place}.{column.name}")
            rewards[column.reward] = _rewarded(component, sql.column(column.figure))
            points[column.column] = _points(component, sql.column(column.reward))
        totals[card.total] = _card_total(card, score)
        totals[card.short] = _short(card, scorecard)
    has_minima = any(_has_minima(scorecard) for scorecard in score.scorecards.values())
    if len(cards) == 1 and not score.first_of:
        final = {name: sql.column(cards[0].total), f"#short:{name}": sql.column(cards[0].short)}
        stages: tuple[dict[str, exp.Expr], ...] = (figures, rewards, points, totals, final)
        chosen = None
    else:
        chosen = f"#card:{name}"
        choice = _assigned(score, reading, place) if score.first_of else _best(cards)
        stages = (figures, rewards, points, totals, {chosen: choice}, _of_chosen(name, cards, chosen))
    return ScoreColumns(name, tuple(cards), chosen, f"#short:{name}" if has_minima else None, stages)


def _card(score: str, name: str, card: Scorecard) -> Card:
    names = component_names(card.components)
    components = tuple(
        ComponentColumn(
            f"#points:{score}:{name}:{index}",
            names[index],
            component.dimension or "",
            None if component.max is None else float(component.max),
        )
        for index, component in enumerate(card.components)
    )
    return Card(name, components, f"#total:{score}:{name}", f"#short:{score}:{name}")


def component_names(components: Sequence[Component]) -> list[str]:
    """A name for every component: its own, else its dimension, else its place; never the same twice."""
    names: list[str] = []
    for index, component in enumerate(components, start=1):
        name = component.name or component.dimension or f"component_{index}"
        names.append(name if name not in names else f"{name}_{index}")
    return names


def _figure(component: Component, reading: Reading, place: str) -> exp.Expr:
    """What a component looks at: a figure, or points outright."""
    expression = reading.parse(component.points or component.of or "", place)
    return sql.UNKNOWN.copy() if expression is None else sql.double(to_tree(expression))


def _rewarded(component: Component, figure: exp.Expr) -> exp.Expr:
    """Points in proportion up to `full_at`, or by band; an unknown figure gives unknown points."""
    if component.points is not None:
        return figure
    unknown = (sql.is_unknown(figure), sql.UNKNOWN.copy())
    if component.full_at is not None and component.max is not None:
        share = exp.Div(this=figure.copy(), expression=sql.number(component.full_at))
        full = (exp.GTE(this=share.copy(), expression=sql.number(1)), sql.number(component.max))
        none = (exp.LTE(this=share.copy(), expression=sql.number(0)), sql.number(0))
        return sql.case([unknown, full, none], exp.Mul(this=share, expression=sql.number(component.max)))
    bands = [
        (exp.GTE(this=figure.copy(), expression=sql.number(band.from_)), sql.number(band.points))
        for band in reversed(component.bands)
    ]
    return sql.case([unknown, *bands], sql.number(0))


def _points(component: Component, reward: exp.Expr) -> exp.Expr:
    """A component's points: at most its maximum, and where it says so, 0 for an unknown figure."""
    points = reward if component.max is None else _at_most(reward, component.max)
    if component.unknown == "zero":
        points = exp.Coalesce(this=points, expressions=[sql.number(0)])
    return sql.rounded(points)


def _at_most(value: exp.Expr, most: Decimal) -> exp.Expr:
    """The value, no more than a bound; unknown where it is."""
    return sql.case([(exp.GT(this=exp.Paren(this=value.copy()), expression=sql.number(most)), sql.number(most))], value)


def _card_total(card: Card, score: Score) -> exp.Expr:
    plain = sql.rounded(sql.total([sql.column(component.column) for component in card.components]))
    return plain if score.max is None else _at_most(plain, score.max)


def _has_minima(card: Scorecard) -> bool:
    own = (component.min is not None or component.min_more_than is not None for component in card.components)
    return card.min_each_more_than is not None or any(own)


def _short(card: Card, scorecard: Scorecard) -> exp.Expr:
    """Count the components that are not known to reach their minimum."""
    conditions: list[exp.Expr] = []
    for column, component in zip(card.components, scorecard.components, strict=True):
        points = sql.column(column.column)
        if component.min is not None:
            conditions.append(exp.GTE(this=points.copy(), expression=sql.number(component.min)))
        for bound in (component.min_more_than, scorecard.min_each_more_than):
            if bound is not None:
                conditions.append(exp.GT(this=points.copy(), expression=sql.number(bound)))
    if not conditions:
        return exp.Literal.number(0)
    return sql.counted(sql.negated(sql.is_true(condition)) for condition in conditions)


def _best(cards: Sequence[Card]) -> exp.Expr:
    """The place of the best scorecard: the highest total of those short of nothing, else of all; the first of a tie."""
    qualified = [sql.case([(_is_zero(card.short), sql.column(card.total))]) for card in cards]
    every = [sql.column(card.total) for card in cards]
    return sql.case([*_places_of_best(qualified), *_places_of_best(every)])


def _places_of_best(totals: Sequence[exp.Expr]) -> list[tuple[exp.Expr, exp.Expr]]:
    first, *others = [exp.Coalesce(this=total.copy(), expressions=[sql.number(-1e300)]) for total in totals]
    best = exp.Greatest(this=first, expressions=others) if others else first
    return [
        (exp.EQ(this=exp.Paren(this=total.copy()), expression=best.copy()), exp.Literal.number(place))
        for place, total in enumerate(totals)
    ]


def _is_zero(name: str) -> exp.Expr:
    return exp.EQ(this=sql.column(name), expression=exp.Literal.number(0))


def _assigned(score: Score, reading: Reading, place: str) -> exp.Expr:
    """The place of the first scorecard whose condition holds; one without a condition takes the rest."""
    branches = []
    for index, (name, card) in enumerate(score.first_of.items()):
        expression = None if card.when is None else reading.parse(card.when, f"{place}.first_of.{name}.when")
        condition = exp.true() if expression is None else sql.is_true(to_tree(expression))
        branches.append((condition, exp.Literal.number(index)))
    return sql.case(branches)


def _of_chosen(name: str, cards: Sequence[Card], chosen: str) -> dict[str, exp.Expr]:
    def of(column_of: str) -> exp.Expr:
        branches = [
            (
                exp.EQ(this=sql.column(chosen), expression=exp.Literal.number(place)),
                sql.column(getattr(card, column_of)),
            )
            for place, card in enumerate(cards)
        ]
        return sql.case(branches)

    return {name: of("total"), f"#short:{name}": of("short")}
