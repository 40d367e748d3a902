"""Reads the rules of a policy file into trees of criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlglot import exp

from tierwise.config.names import hint
from tierwise.config.policy import Policy, Tier
from tierwise.config.policy_rules import AllOf, AnyOf, AtLeast, Check, FlagInForce, Rule, TrackReached
from tierwise.engine import to_tree
from tierwise.policy import sql
from tierwise.policy.criteria import Criterion, Group, GroupKind, Kept, Node, Options, Splitter
from tierwise.policy.kinds import Kind
from tierwise.policy.reading import Reading, rule_parts
from tierwise.policy.scoring import ScoreColumns

_ALWAYS_FALSE = exp.false()
_UNBANDED = Options(band=Decimal(0))


@dataclass(frozen=True)
class RuleReader:
    """Reads written rules; faults are collected by `reading`.

    Attributes:
        policy: The policy.
        reading: Parses expressions and collects faults.
        kinds: The kind of every column, the policy's own included.
        scores: The policy's scores in columns.
    """

    policy: Policy
    reading: Reading
    kinds: Mapping[str, Kind]
    scores: Mapping[str, ScoreColumns]

    @property
    def _splitter(self) -> Splitter:
        return Splitter(self.kinds, frozenset(self.policy.parameters))

    def tier_rule(self, tier: Tier, place: str) -> Node | None:
        """A tier's own rule, with the keep rule where it has one."""
        if tier.when is None:
            return None
        gain = self.rule(tier.when, f"{place}.when")
        return gain if tier.keep is None else Kept(gain, self.rule(tier.keep, f"{place}.keep"))

    def rule(self, rule: Rule, place: str) -> Node:
        """Read one written rule."""
        if isinstance(rule, str):
            return self._written(rule, Options(), place)
        if isinstance(rule, Check):
            return self._check(rule, place)
        if isinstance(rule, FlagInForce):
            return self.flag(rule.flag)
        if isinstance(rule, TrackReached):
            return self._track(rule, place)
        parts = tuple(self.rule(part, path) for part, path in rule_parts(rule, place))
        if isinstance(rule, AtLeast):
            if rule.at_least.count > len(parts):
                self.reading.fail(f"at least {rule.at_least.count} of {len(parts)} can never be reached", place)
            return Group("at_least", parts, rule.at_least.count)
        kind: GroupKind = "all" if isinstance(rule, AllOf) else "any"
        assert isinstance(rule, AllOf | AnyOf)
        return Group(kind, parts)

    def flag(self, name: str) -> Criterion:
        """The criterion that a flag is in force."""
        flag = sql.column(name)
        if self.kinds.get(name) == "number":
            flag = exp.GT(this=flag, expression=exp.Literal.number(0))
        return Criterion(name, name, "is", flag, None, Options())

    def value(self, criterion: Criterion) -> exp.Expr:
        """The partner's value as a double; a condition's is 1 where it holds and 0 where not."""
        if criterion.is_numeric:
            return sql.double(criterion.value)
        met, unmet = exp.Paren(this=criterion.value.copy()), sql.negated(criterion.value)
        return sql.case([(met, sql.number(1)), (unmet, sql.number(0))])

    def _check(self, check: Check, place: str) -> Node:
        applies = None
        if check.applies_if is not None:
            expression = self.reading.parse(check.applies_if, f"{place}.applies_if")
            applies = None if expression is None else to_tree(expression)
        options = Options(check.name, applies, check.unknown, check.band)
        gain = self._written(check.check, options, f"{place}.check")
        return gain if check.keep is None else Kept(gain, self._written(check.keep, options, f"{place}.keep"))

    def _written(self, text: str, options: Options, place: str) -> Node:
        expression = self.reading.parse(text, place)
        if expression is None:
            return Criterion(text, "", "is", _ALWAYS_FALSE.copy(), None, options)
        return self._finished(self._splitter.split(expression, options), place)

    def _track(self, rule: TrackReached, place: str) -> Node:
        if rule.track not in self.policy.tracks:
            self.reading.fail(f"unknown track {rule.track!r}; {hint(rule.track, self.policy.tracks)}", place)
            return self.flag(rule.track)
        names = [tier.name for tier in self.policy.tracks[rule.track].tiers]
        if rule.reached not in names:
            self.reading.fail(
                f"the track {rule.track!r} has no tier {rule.reached!r}; {hint(rule.reached, names)}", place
            )
            return self.flag(rule.track)
        reached = exp.Literal.number(names.index(rule.reached))
        shown = f"{rule.track} reached {rule.reached}"
        rank = f"{rule.track}_rank"
        return Criterion(shown, rank, ">=", sql.column(rank), reached, _UNBANDED, track_ranks=frozenset({rank}))

    def _finished(self, node: Node, place: str) -> Node:
        """Turn to tracks' own bands, and beside every lower bound on a score ask that no component is short."""
        if isinstance(node, Group):
            return Group(node.kind, tuple(self._finished(part, place) for part in node.parts), node.count)
        if not isinstance(node, Criterion):
            return node
        names = {name.name for name in node.value.find_all(exp.Column)}
        ranks = names & {f"{track}_rank" for track in self.policy.tracks}
        if ranks:
            return self._of_tracks(node, ranks, place)
        scores = sorted(names & self.scores.keys()) if node.operator in (">=", ">") else []
        minima = [
            self._no_component_short(self.scores[name], node.options) for name in scores if self.scores[name].short
        ]
        return Group("all", (node, *minima)) if minima else node

    def _of_tracks(self, node: Criterion, ranks: set[str], place: str) -> Criterion:
        """A place on a track has no size that a band could move: the bands of the track's own criteria count."""
        band = node.options.band
        if band:
            what = f"a band of {band:%} on {node.expression}: a place on a track has no size that a band could move"
            self.reading.fail(f"{what}; leave the band out, and those of the track's own criteria count", place)
        options = replace(node.options, band=Decimal(0))
        return replace(node, options=options, track_ranks=frozenset() if band is not None else frozenset(ranks))

    def _no_component_short(self, score: ScoreColumns, options: Options) -> Criterion:
        shown = f"components of {score.name} below their minimum <= 0"
        short = replace(options, name=None)
        value = sql.column(f"#short:{score.name}")
        return Criterion(shown, f"{score.name} components short", "<=", value, exp.Literal.number(0), short)
