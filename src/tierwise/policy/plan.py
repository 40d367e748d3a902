"""A policy compiled to one SQL query over its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from tierwise.config.policy import Policy
from tierwise.engine import to_tree
from tierwise.errors import Fault, InvalidInput
from tierwise.policy import sql
from tierwise.policy.derived import Derived, derived_figures, ready_stages
from tierwise.policy.kinds import Kind, column_kind
from tierwise.policy.ladders import Ladder, LadderCompiler
from tierwise.policy.reading import Reading, rule_tracks
from tierwise.policy.rules import RuleReader
from tierwise.policy.scoring import ScoreColumns
from tierwise.policy.texts import EVIDENCE_PREFIX, check_known, flags_of, own_names, policy_texts
from tierwise.policy.truth import Bands, holds

KEY = "partner_id"
HOME = "#home"
EVIDENCE, IMMEDIATE, MANAGER, NEWCOMER_SINCE, RANK_BY, GROWTH = (
    "evidence", "immediate_loss", "manager", "newcomer_since", "rank_by", "growth",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A compiled policy.

    Attributes:
        policy: The policy.
        stages: The columns to add to the inputs, stage by stage.
        ladder: The policy's tiers.
        tracks: The tracks' tiers.
        scores: The scores.
        controls: The columns that movement rules and guardrails look at.
        unlocks: The benefits' columns.
    """

    policy: Policy
    stages: tuple[dict[str, exp.Expr], ...]
    ladder: Ladder
    tracks: tuple[Ladder, ...]
    scores: tuple[ScoreColumns, ...]
    controls: tuple[str, ...]
    unlocks: tuple[str, ...]

    @property
    def ladders(self) -> tuple[Ladder, ...]:
        """All ladders, the policy's own first."""
        return (self.ladder, *self.tracks)

    def query(self, source: exp.Expr, keys: Sequence[str]) -> exp.Select:
        """The whole query; its rows come in no particular order."""
        wanted = [*keys, *self._columns()]
        inner = sql.nested_select(source, self.stages).subquery("placed", copy=False)
        return exp.select(*[sql.column(name) for name in wanted], copy=False).from_(inner, copy=False)

    def _columns(self) -> list[str]:
        columns: list[str] = []
        for ladder in self.ladders:
            columns += ladder.ranks.values()
            columns += [column for variants in ladder.of_units.values() for column in variants.values()]
            for item in ladder.criteria:
                columns += [item.value, item.state, *([item.threshold] if item.threshold else [])]
        for score in self.scores:
            columns += [score.name, *([score.chosen] if score.chosen else [])]
            columns += [component.column for card in score.cards for component in card.components]
            columns += [card.total for card in score.cards]
        return list(dict.fromkeys([*columns, *self.controls, *self.unlocks]))


def compile_policy(policy: Policy, columns: Mapping[str, str], flags_given: Iterable[str] = ()) -> Plan:
    """Compile a policy for inputs with these columns.

    Args:
        policy: The policy.
        columns: SQL type by column of the inputs.
        flags_given: Flags that will be joined to the inputs as columns.

    Raises:
        InvalidInput: With every refused expression and every unknown name.
    """
    reading = Reading(policy)
    own = own_names(policy)
    flags = flags_of(policy)
    for name in sorted(own & columns.keys()):
        reading.fail(f"{name!r} is already a column of the policy's inputs; give this figure another name", name)
    check_known(policy, reading, [*columns, *flags])
    kinds: dict[str, Kind] = {name: column_kind(kind) for name, kind in columns.items()}
    plan = _Assembly(policy, reading, kinds).plan(set(columns), sorted(flags), set(flags_given))
    reading.finish()
    return plan


@dataclass
class _Assembly:
    """Puts the stages of a policy in order: flags, figures, tracks, figures over tracks, tiers, controls."""

    policy: Policy
    reading: Reading
    kinds: dict[str, Kind]

    def plan(self, columns: set[str], flags: list[str], flags_given: set[str]) -> Plan:
        policy = self.policy
        stages = [self._flags(flags, columns, flags_given)]
        pending = derived_figures(policy, self.reading, self.kinds)
        scores = {figure.name: figure.score for figure in pending if figure.score is not None}
        self.kinds.update({figure.name: figure.kind for figure in pending})
        self.kinds.update({f"{track}_tier": "text" for track in policy.tracks})
        own = own_names(policy)
        early, pending = ready_stages(pending, columns, own)
        reader = RuleReader(policy, self.reading, self.kinds, scores)
        bands = Bands(policy.movement.promote.band, policy.movement.demote.band)
        compiler = LadderCompiler(reader, self.reading, bands)
        self._check_order_of_tracks({figure.name for figure in pending})
        tracks = [compiler.compile(name, track.tiers, f"tracks.{name}.tiers") for name, track in policy.tracks.items()]
        stages += [*early, *(stage for track in tracks for stage in _track_stages(track))]
        late, pending = ready_stages(pending, columns | (own - {figure.name for figure in pending}), own)
        self._report_circles(pending)
        ladder = compiler.compile("", policy.tiers, "tiers")
        controls, unlocks = self._controls(), self._unlocks(reader, compiler)
        stages += [*late, *ladder.stages, {**controls, **unlocks}]
        return Plan(
            policy,
            tuple(stage for stage in stages if stage),
            ladder,
            tuple(tracks),
            tuple(scores.values()),
            tuple(controls),
            tuple(unlocks),
        )

    def _check_order_of_tracks(self, made_later: set[str]) -> None:
        """A track reads the tracks written before it, and figures that are not made from tracks."""
        waiting = {name: f"{name} is made from tracks" for name in made_later}
        for name in self.policy.tracks:
            why = f"the track {name!r} is not written before it"
            waiting |= {f"{name}_rank": why, f"{name}_tier": why}
        for name, track in self.policy.tracks.items():
            place = f"tracks.{name}.tiers"
            texts = [item for item in policy_texts(self.policy) if item.place.startswith(f"{place}[")]
            parsed = (self.reading.parse(item.text, item.place, item.kind) for item in texts)
            used = {column for expression in parsed if expression is not None for column in expression.names}
            rules = [rule for tier in track.tiers for rule in (tier.when, tier.keep) if rule is not None]
            used |= {f"{found.track}_rank" for rule in rules for found in rule_tracks(rule)}
            for column in sorted(used & waiting.keys()):
                self.reading.fail(f"the track {name!r} cannot use {column!r} here: {waiting[column]}", place)
            del waiting[f"{name}_rank"], waiting[f"{name}_tier"]

    def _report_circles(self, pending: list[Derived]) -> None:
        if pending:
            names = ", ".join(sorted(figure.name for figure in pending))
            self.reading.fail(f"{names} are defined by one another in a circle", "definitions")

    def _flags(self, flags: list[str], columns: set[str], given: set[str]) -> dict[str, exp.Expr]:
        """A flag that nobody recorded is not in force."""
        stage: dict[str, exp.Expr] = {}
        for flag in flags:
            kind = self.kinds.setdefault(flag, "condition")
            if kind not in ("condition", "number"):
                self.reading.fail(f"the flag {flag!r} is a column of {kind} values; a flag is true or false", flag)
            if flag not in columns and flag not in given:
                stage[flag] = exp.false()
        return stage

    def _condition(self, text: str, place: str) -> exp.Expr:
        expression = self.reading.parse(text, place)
        return exp.false() if expression is None else sql.is_true(to_tree(expression))

    def _figure(self, text: str, place: str) -> exp.Expr:
        expression = self.reading.parse(text, place)
        return sql.UNKNOWN.copy() if expression is None else sql.double(to_tree(expression))

    def _controls(self) -> dict[str, exp.Expr]:
        movement, rails = self.policy.movement, self.policy.guardrails
        controls: dict[str, exp.Expr] = {}
        for index, freeze in enumerate(movement.freeze):
            where = freeze.where
            condition = exp.true() if where is None else self._condition(where, f"movement.freeze[{index}].where")
            controls[f"#freeze:{index}"] = condition
        if movement.demote.immediately_if is not None:
            place = "movement.demote.immediately_if"
            controls[f"#{IMMEDIATE}"] = self._condition(movement.demote.immediately_if, place)
        if rails.evidence:
            controls[f"#{EVIDENCE}"] = sql.is_true(
                sql.both(
                    exp.GTE(this=sql.column(key.removeprefix(EVIDENCE_PREFIX)), expression=sql.number(least))
                    for key, least in rails.evidence.items()
                )
            )
        if self.policy.per is not None and self.policy.per.home is not None:
            controls[HOME] = sql.column(self.policy.per.home)
        if rails.manager_capacity is not None:
            controls[f"#{MANAGER}"] = exp.cast(sql.column(rails.manager_capacity.by), "VARCHAR")
        if movement.newcomers is not None and movement.newcomers.since is not None:
            controls[f"#{NEWCOMER_SINCE}"] = exp.cast(sql.column(movement.newcomers.since), "DATE")
        if rails.growth is not None:
            controls[f"#{GROWTH}"] = self._figure(rails.growth.of, "guardrails.growth.of")
        rank_by = rails.rank_by or next(iter(self.policy.scores), None)
        controls[f"#{RANK_BY}"] = sql.number(0) if rank_by is None else self._figure(rank_by, "guardrails.rank_by")
        return controls

    def _unlocks(self, reader: RuleReader, compiler: LadderCompiler) -> dict[str, exp.Expr]:
        found = {}
        for name, rule in self.policy.unlocks.items():
            node = reader.rule(rule, f"unlocks.{name}")
            found[f"#unlock:{name}"] = holds(compiler.plain_truth(node))
        return found


def _track_stages(track: Ladder) -> list[dict[str, exp.Expr]]:
    rank = sql.column(track.ranks["eligible"])
    names = [
        (exp.EQ(this=rank.copy(), expression=exp.Literal.number(place)), sql.text(name))
        for place, name in enumerate(track.tiers)
    ]
    return [*track.stages, {f"{track.name}_rank": rank, f"{track.name}_tier": sql.case(names)}]


def duplicate_fault(keys: Sequence[str], examples: Sequence[str]) -> InvalidInput:
    """The error for inputs that hold a partner twice."""
    what = f"the policy's inputs hold more than one row for the same {' and '.join(keys)}"
    return InvalidInput(Fault(what, "policy inputs", tuple(examples)))
