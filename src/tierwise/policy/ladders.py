"""A ladder of tiers (the policy's own, or a track's) compiled to columns: criteria, tiers met, ranks reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from tierwise.config.policy import Tier, Top
from tierwise.engine import to_tree
from tierwise.policy import sql
from tierwise.policy.criteria import Criterion, Group, Node, criteria_of
from tierwise.policy.reading import Reading
from tierwise.policy.rules import RuleReader
from tierwise.policy.truth import (
    VARIANTS,
    Bands,
    Truth,
    Variant,
    criterion_truth,
    holds,
    literal_value,
    rank_column,
    rule_truth,
)

NO_TIER_RANK = -1


@dataclass(frozen=True)
class CriterionColumns:
    """One criterion of one tier and the columns that hold its figures.

    Attributes:
        tier: The tier's name.
        rank: The tier's place in its ladder.
        name: The criterion's name, different from every other of the tier.
        criterion: What is compared.
        value: The column of the partner's value; a condition's is 1 where it holds and 0 where not.
        threshold: The column of the threshold; none where it is the same for all, or a condition.
        constant: The threshold where it is the same for all.
        state: The column of the state: 0 not met, 1 met, 2 unknown, 3 left out.
    """

    tier: str
    rank: int
    name: str
    criterion: Criterion
    value: str
    threshold: str | None
    constant: float | None
    state: str


@dataclass(frozen=True)
class Ladder:
    """A ladder of tiers in columns.

    Attributes:
        name: The track's name, or empty for the policy's tiers.
        tiers: The tiers' names, lowest first.
        rules: Each tier's rule; none for a tier that always holds.
        criteria: All criteria, tier by tier.
        stages: The columns to add.
        ranks: The column of the highest tier reached at the thresholds, with the gaining band, with the keeping band;
            of a unit's row the highest one that units reach by themselves.
        of_units: By place of a tier that is made from the tiers of units, the columns of whether its own rule holds.
    """

    name: str
    tiers: tuple[str, ...]
    rules: tuple[Node | None, ...]
    criteria: tuple[CriterionColumns, ...]
    stages: tuple[dict[str, exp.Expr], ...]
    ranks: Mapping[Variant, str]
    of_units: Mapping[int, Mapping[Variant, str]] = field(default_factory=dict)

    def without_tiers_of_units(self) -> Ladder:
        """The ladder that a single unit climbs."""
        return self.with_tiers([place for place in range(len(self.tiers)) if place not in self.of_units])

    def with_tiers(self, places: Collection[int]) -> Ladder:
        """The ladder with some of its tiers, none of them made from those of units."""
        return replace(
            self,
            tiers=tuple(self.tiers[place] for place in places),
            rules=tuple(self.rules[place] for place in places),
            criteria=tuple(item for item in self.criteria if item.rank in places),
            of_units={},
        )


@dataclass(frozen=True)
class LadderCompiler:
    """Compiles ladders with one set of bands.

    Attributes:
        rules: Reads the written rules.
        reading: Collects faults.
        bands: The movement rules' bands.
    """

    rules: RuleReader
    reading: Reading
    bands: Bands

    def compile(self, name: str, tiers: Sequence[Tier], place: str) -> Ladder:
        """Compile the tiers of a ladder, which stand at `place` in the file."""
        nodes = [self._tier_rule(tiers, index, place) for index in range(len(tiers))]
        criteria = _criterion_columns(name, [tier.name for tier in tiers], nodes)
        values, thresholds = self._figures(criteria)
        rounded = {
            _rounded(item): sql.comparable(sql.column(item.value)) for item in criteria if item.criterion.is_numeric
        }
        states = {item.state: self._state(item) for item in criteria}
        by_criterion = {id(item.criterion): item for item in criteria}
        met = self._tiers_met(name, tiers, nodes, by_criterion)
        passes = self._second_pass(name, tiers, place)
        ranks = {variant: rank_column(name, variant) for variant in VARIANTS}
        of_units = _of_units(name, tiers)
        rank_stage = {column: _rank(name, tiers, variant) for variant, column in ranks.items()}
        for index, columns in of_units.items():
            rank_stage |= {column: _reached(name, tiers, index, variant) for variant, column in columns.items()}
        stages = [{**values, **thresholds}, rounded, states, met, *passes, rank_stage]
        names = tuple(tier.name for tier in tiers)
        return Ladder(name, names, tuple(nodes), criteria, tuple(stage for stage in stages if stage), ranks, of_units)

    def plain_truth(self, node: Node) -> Truth:
        """The truth of a rule at its thresholds, without columns for its criteria."""
        return rule_truth(node, "eligible", lambda leaf, variant: criterion_truth(leaf, variant, self.bands))

    def _tier_rule(self, tiers: Sequence[Tier], index: int, place: str) -> Node | None:
        """A tier's rule with those of the tiers it requires, and its invitation."""
        tier = tiers[index]
        own = self.rules.tier_rule(tier, f"{place}[{index}]")
        names = [other.name for other in tiers]
        needed = [self._tier_rule(tiers, names.index(name), place) for name in tier.requires]
        parts = [part for part in (own, *needed) if part is not None]
        if tier.invitation:
            parts.append(self.rules.flag(tier.invitation_flag))
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else Group("all", tuple(parts))

    def _figures(self, criteria: Sequence[CriterionColumns]) -> tuple[dict[str, exp.Expr], dict[str, exp.Expr]]:
        values = {item.value: self.rules.value(item.criterion) for item in criteria}
        thresholds = {
            item.threshold: sql.double(item.criterion.threshold)
            for item in criteria
            if item.threshold is not None and item.criterion.threshold is not None
        }
        return values, thresholds

    def _stored(self, item: CriterionColumns) -> Criterion:
        """The criterion read from the columns that hold its value and threshold."""
        written = item.criterion
        if written.threshold is None:
            return written
        threshold = sql.column(item.threshold) if item.threshold is not None else written.threshold
        return replace(written, value=sql.column(_rounded(item)), threshold=threshold, is_rounded=True)

    def _state(self, item: CriterionColumns) -> exp.Expr:
        truth = criterion_truth(self._stored(item), "eligible", self.bands)
        left_out = [] if truth.left_out is None else [(truth.left_out, exp.Literal.number(3))]
        unknown = (sql.is_unknown(truth.met), exp.Literal.number(2))
        met = (exp.Paren(this=truth.met.copy()), exp.Literal.number(1))
        return exp.cast(sql.case([*left_out, unknown, met], exp.Literal.number(0)), "TINYINT")

    def _leaf(self, criterion: Criterion, variant: Variant, stored: Mapping[int, CriterionColumns]) -> Truth:
        item = stored.get(id(criterion))
        if item is None:  # a criterion of a separate keep rule has no columns of its own
            return criterion_truth(criterion, variant, self.bands)
        if variant != "eligible" and criterion.is_numeric:
            read = criterion if criterion.track_ranks else self._stored(item)
            return criterion_truth(read, variant, self.bands)
        return _stored_truth(item)

    def _tiers_met(
        self, name: str, tiers: Sequence[Tier], nodes: Sequence[Node | None], stored: Mapping[int, CriterionColumns]
    ) -> dict[str, exp.Expr]:
        met: dict[str, exp.Expr] = {}
        for index, node in enumerate(nodes):
            for variant in VARIANTS:
                if node is not None:
                    truth = rule_truth(node, variant, lambda leaf, which: self._leaf(leaf, which, stored))
                    met[_met(name, index, variant)] = holds(truth)
                else:
                    met[_met(name, index, variant)] = exp.true()
        return met

    def _second_pass(self, name: str, tiers: Sequence[Tier], place: str) -> list[dict[str, exp.Expr]]:
        """Rank those who meet a tier's rule within their group, then let only the first ones through."""
        figures: dict[str, exp.Expr] = {}
        passed: dict[str, exp.Expr] = {}
        for index, tier in enumerate(tiers):
            if tier.top is None:
                continue
            expression = self.reading.parse(tier.top.by, f"{place}[{index}].top.by")
            by = f"#by:{name}:{index}"
            figures[by] = sql.UNKNOWN.copy() if expression is None else sql.double(to_tree(expression))
            for variant in VARIANTS:
                passed[_met(name, index, variant) + ":top"] = _is_first(_met(name, index, variant), by, tier.top)
        return [figures, passed] if figures else []


def _stored_truth(item: CriterionColumns) -> Truth:
    state = sql.column(item.state)
    unknown = exp.EQ(this=state.copy(), expression=exp.Literal.number(2))
    met = sql.case([(unknown, sql.UNKNOWN.copy())], exp.EQ(this=state.copy(), expression=exp.Literal.number(1)))
    options = item.criterion.options
    can_be_left_out = options.applies_if is not None or options.unknown == "skip"
    return Truth(met, exp.EQ(this=state.copy(), expression=exp.Literal.number(3)) if can_be_left_out else None)


def _criterion_columns(ladder: str, tiers: Sequence[str], nodes: Sequence[Node | None]) -> tuple[CriterionColumns, ...]:
    """Name every criterion's columns; criteria of the same figure share the column of its value."""
    values: dict[tuple[str, bool], str] = {}
    found: list[CriterionColumns] = []
    for rank, (tier, node) in enumerate(zip(tiers, nodes, strict=True)):
        for index, (name, criterion) in enumerate(_named(node), start=1):
            figure = (criterion.value.sql("duckdb"), criterion.is_numeric)
            value = values.setdefault(figure, f"#value:{ladder}:{len(values)}")
            constant = None if criterion.threshold is None else _constant(criterion.threshold)
            varies = criterion.threshold is not None and constant is None
            at = f"{ladder}:{rank}:{index}"
            threshold = f"#threshold:{at}" if varies else None
            found.append(CriterionColumns(tier, rank, name, criterion, value, threshold, constant, f"#state:{at}"))
    return tuple(found)


def _named(node: Node | None) -> list[tuple[str, Criterion]]:
    """A rule's criteria with names of their own: those given, else their numbers."""
    found: dict[str, Criterion] = {}
    for index, criterion in enumerate(criteria_of(node) if node is not None else (), start=1):
        name = criterion.options.name or f"c{index:02d}"
        found[name if name not in found else f"{name}_{index}"] = criterion
    return list(found.items())


def _constant(threshold: exp.Expr) -> float | None:
    value = literal_value(threshold)
    return None if value is None else float(value)


def _rounded(item: CriterionColumns) -> str:
    return item.value.replace("#value", "#rounded")


def _met(ladder: str, index: int, variant: Variant) -> str:
    return f"#met:{ladder}:{index}:{variant}"


def _is_first(met: str, by: str, top: Top) -> exp.Expr:
    """Whether a partner is among the first of those who meet the rule in their group; an unknown figure never is."""
    known = sql.both([sql.column(met), sql.negated(sql.is_unknown(sql.column(by)))])
    groups = [known, *(sql.column(name) for name in top.within)]
    order = exp.Order(expressions=[exp.Ordered(this=sql.column(by), desc=True, nulls_first=False)])
    rank = exp.Window(this=exp.Rank(), partition_by=[group.copy() for group in groups], order=order, over="OVER")
    if top.count is not None:
        limit: exp.Expr = exp.Literal.number(top.count)
    else:
        size = exp.Window(this=exp.Count(this=exp.Star()), partition_by=[group.copy() for group in groups], over="OVER")
        limit = exp.Mul(this=size, expression=sql.number(top.share or 0))
    return sql.both([known, exp.LTE(this=rank, expression=limit)])


def _of_units(ladder: str, tiers: Sequence[Tier]) -> dict[int, dict[Variant, str]]:
    return {
        index: {variant: f"#of_units:{ladder}:{index}:{variant}" for variant in VARIANTS}
        for index, tier in enumerate(tiers)
        if tier.reached_in
    }


def _rank(ladder: str, tiers: Sequence[Tier], variant: Variant) -> exp.Expr:
    """The place of the highest tier reached, those left out that are made from the tiers of units."""
    places = [index for index in reversed(range(len(tiers))) if not tiers[index].reached_in]
    branches = [(_reached(ladder, tiers, index, variant), exp.Literal.number(index)) for index in places]
    return exp.cast(sql.case(branches, exp.Literal.number(NO_TIER_RANK)), "TINYINT")


def _reached(ladder: str, tiers: Sequence[Tier], index: int, variant: Variant) -> exp.Expr:
    """Whether a tier's rule holds; the keeping band never takes a tier, the gaining band never gives one."""
    suffix = ":top" if tiers[index].top is not None else ""
    own, eligible = (sql.column(_met(ladder, index, which) + suffix) for which in (variant, "eligible"))
    return {"eligible": own, "gain": sql.both([own, eligible]), "keep": sql.either([own, eligible])}[variant]
