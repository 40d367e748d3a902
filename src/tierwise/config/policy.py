"""Policy files (DESIGN section 4.2): one dated file per policy, in force from its date until the next one's."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from tierwise.config.base import Settings
from tierwise.config.catalog import Name
from tierwise.config.names import hint
from tierwise.config.policy_movement import Guardrails, Movement, movement_from_text
from tierwise.config.policy_rules import Number, Rule, Text, TierName
from tierwise.config.policy_scores import Score
from tierwise.config.validation import load_settings
from tierwise.errors import Fault, InvalidInput

EXIT = "exit"


def _by_attribute(value: Any) -> Any:
    """Read `{by: region, EMEA: 40000, default: 50000}`: what is not `by` or `default` is a value of the attribute."""
    if isinstance(value, Mapping):
        fixed = {key: value[key] for key in ("by", "default") if key in value}
        return {**fixed, "values": {key: item for key, item in value.items() if key not in fixed}}
    return value


def _parameter(value: Any) -> Any:
    return _by_attribute(value) if isinstance(value, Mapping) else {"default": value}


class ParameterTable(Settings):
    """A number of the policy, the same for all or by the value of an attribute.

    Attributes:
        by: The attribute.
        values: The number by value of the attribute.
        default: The number for every other value, and for an unknown one; unknown without a default.
    """

    by: Name | None = None
    values: dict[str, Number] = Field(default_factory=dict)
    default: Number | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.by is None and (self.values or self.default is None):
            raise ValueError("a parameter is a number, or a table with 'by', values and 'default'")
        return self


class GroupTable(Settings):
    """A grouping of an attribute's values: countries to markets, types to classes.

    Attributes:
        by: The attribute.
        values: The attribute's values that make up each group.
        default: The group of every other value; unknown without a default.
    """

    by: Name
    values: Annotated[dict[str, tuple[str, ...]], Field(min_length=1)]
    default: str | None = None

    @model_validator(mode="after")
    def _is_unambiguous(self) -> Self:
        twice = [value for value, times in Counter(sum(self.values.values(), ())).items() if times > 1]
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} in more than one group")
        return self


def _definition(value: Any) -> Any:
    return {"formula": value} if isinstance(value, str) else value


class DefinitionTerms(Settings):
    """A figure defined by this version of the policy, such as a ratio with its numerator and denominator.

    Attributes:
        formula: A SQL expression over metrics and attributes; it may rank within a group (`rank() over (...)`).
        unit: The figure's unit.
        title: What people read for it.
    """

    formula: Text
    unit: str = ""
    title: str = ""


class Top(Settings):
    """A second pass: of the partners who meet the tier's rule only the first ones within their group.

    Attributes:
        by: The SQL expression they are ranked by, highest first.
        share: The share of them that gets the tier.
        count: The number of them that gets the tier; ties at the limit all get it.
        within: The attributes that make up the group; one group of all without them.
    """

    by: Text
    share: Annotated[Number, Field(gt=0, le=1)] | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    within: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if (self.share is None) == (self.count is None):
            raise ValueError("'top' has either 'share' or 'count'")
        return self


class Tier(Settings):
    """One tier; the tiers of a policy stand from the lowest to the highest.

    Attributes:
        name: The tier's name.
        title: What people read for it.
        when: The rule that gains it; a tier without one always holds.
        keep: The rule that holds it, where it is another one.
        requires: Lower tiers whose rules must hold as well.
        invitation: Whether the flag `invited_<tier>` must be in force as well.
        top: A second pass within a group.
        reached_in: Under `per`, a tier of the partner made from its units': in how many units each of these lower tiers
            must at least be reached, counting the units in which the tier's own rule holds.
    """

    name: TierName
    title: str = ""
    when: Rule | None = None
    keep: Rule | None = None
    requires: tuple[TierName, ...] = ()
    invitation: bool = False
    top: Top | None = None
    reached_in: dict[TierName, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)

    @property
    def invitation_flag(self) -> str:
        """The name of the flag that an invitation to this tier is recorded under."""
        return "invited_" + "".join(letter if letter.isalnum() else "_" for letter in self.name.lower())


Tiers = Annotated[tuple[Tier, ...], Field(min_length=1)]


class Track(Settings):
    """A ladder of its own beside the tiers: a solution area, a module, a region.

    Attributes:
        title: What people read for it.
        tiers: Its tiers, from the lowest to the highest.
    """

    title: str = ""
    tiers: Tiers


class PerUnit(Settings):
    """Placement of every unit of a partner (a region, a country, a product), and the partner's tier made from them.

    Attributes:
        column: The unit: one that the metric catalog declares.
        then: The best unit's tier, or that of the home unit.
        home: For `home`, the attribute that names the partner's home unit.
    """

    column: Name
    then: Literal["best", "home"] = "best"
    home: Name | None = None

    @model_validator(mode="after")
    def _names_home(self) -> Self:
        if (self.then == "home") != (self.home is not None):
            raise ValueError("'home' names the column of the home unit, and belongs to 'then: home'")
        return self


def _roles(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Roles = Annotated[tuple[str, ...], BeforeValidator(_roles, json_schema_input_type=str | tuple[str, ...])]


class Approvals(Settings):
    """Which role approves which recommendation.

    Attributes:
        place: The role, or the roles, that approve first placements.
        promote: Those that approve promotions.
        demote: Those that approve demotions.
        exception: Those that approve decisions against the recommendation.
    """

    place: Roles = ()
    promote: Roles = ()
    demote: Roles = ()
    exception: Roles = ()


# Tables by an attribute hold its values beside `by` and `default`, which only a schema written out can say.
_NUMBERS_BY_ATTRIBUTE = {
    "type": "object",
    "properties": {"by": {"type": "string", "description": "The attribute; its values are the other keys."}},
    "additionalProperties": {"type": "number"},
}
_GROUPS_BY_ATTRIBUTE = {
    "type": "object",
    "properties": {
        "by": {"type": "string", "description": "The attribute; the names of the groups are the other keys."},
        "default": {"type": "string", "description": "The group of every other value."},
    },
    "required": ["by"],
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}
Parameter = Annotated[
    ParameterTable, BeforeValidator(_parameter), WithJsonSchema({"anyOf": [{"type": "number"}, _NUMBERS_BY_ATTRIBUTE]})
]
Grouping = Annotated[GroupTable, BeforeValidator(_by_attribute), WithJsonSchema(_GROUPS_BY_ATTRIBUTE)]
Definition = Annotated[DefinitionTerms, BeforeValidator(_definition, json_schema_input_type=str | DefinitionTerms)]


class Policy(Settings):
    """One policy file.

    Attributes:
        policy: The policy's name.
        effective_from: The first day it is in force.
        owner: Who answers for it.
        reason: Why it replaces the one before.
        parameters: Numbers by region, type, size or any other attribute.
        groups: Groupings of attribute values; each is usable as an attribute.
        definitions: Figures that this version defines itself.
        scores: Sums of points.
        tracks: Ladders beside the tiers.
        tiers: The tiers, from the lowest to the highest.
        per: Placement by unit of a partner.
        unlocks: Benefits that a rule unlocks one by one, whatever the tier.
        movement: How tiers change; `none` for at once, in both directions.
        guardrails: Limits that hold whatever the criteria say.
        approvals: Roles that approve.
    """

    policy: Name
    effective_from: date
    owner: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    groups: dict[Name, Grouping] = Field(default_factory=dict)
    definitions: dict[Name, Definition] = Field(default_factory=dict)
    scores: dict[Name, Score] = Field(default_factory=dict)
    tracks: dict[Name, Track] = Field(default_factory=dict)
    tiers: Tiers
    per: PerUnit | None = None
    unlocks: dict[Name, Rule] = Field(default_factory=dict)
    movement: Annotated[
        Movement, BeforeValidator(movement_from_text, json_schema_input_type=Literal["none"] | Movement)
    ] = Movement()
    guardrails: Guardrails = Guardrails()
    approvals: Approvals = Approvals()

    @property
    def version(self) -> str:
        """The policy's name and date, as shown in tables."""
        return f"{self.policy}@{self.effective_from.isoformat()}"

    @property
    def sha256(self) -> str:
        """The hash of what the file says; comments, order of keys and line ends do not count."""
        content = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def tier_names(self) -> tuple[str, ...]:
        """The names of the tiers, from the lowest to the highest."""
        return tuple(tier.name for tier in self.tiers)

    @field_validator("tiers")
    @classmethod
    def _tiers_are_told_apart(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        check_ladder(tiers)
        return tiers

    @field_validator("tracks")
    @classmethod
    def _tracks_are_told_apart(cls, tracks: dict[str, Track]) -> dict[str, Track]:
        for track in tracks.values():
            check_ladder(track.tiers)
        return tracks

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> Self:
        own = (self.parameters, self.groups, self.definitions, self.scores, self.tracks)
        times = Counter(name for names in own for name in names)
        twice = sorted(name for name, count in times.items() if count > 1)
        if twice:
            raise ValueError(f"{', '.join(twice)} stands for two things in this policy; choose another name for one")
        return self

    @model_validator(mode="after")
    def _named_tiers_exist(self) -> Self:
        rails = self.guardrails
        named: set[str] = {*rails.max_share, *rails.max_count}
        named |= set(rails.manager_capacity.tiers) if rails.manager_capacity else set()
        named |= set(rails.tier_plan.shares) if rails.tier_plan else set()
        unknown = sorted(named - set(self.tier_names))
        renamed = set(self.movement.transition.renamed.values()) if self.movement.transition else set()
        of_tracks = {tier.name for track in self.tracks.values() for tier in track.tiers}
        unknown += sorted(renamed - {*self.tier_names, *of_tracks})
        if unknown:
            raise ValueError("; ".join(f"unknown tier {name!r}, {hint(name, self.tier_names)}" for name in unknown))
        return self

    @model_validator(mode="after")
    def _tiers_of_units_have_units(self) -> Self:
        beside = [tier.name for track in self.tracks.values() for tier in track.tiers if tier.reached_in]
        alone = [tier.name for tier in self.tiers if tier.reached_in and self.per is None]
        if beside or alone:
            why = "a track has none of its own" if beside else "there is no 'per'"
            raise ValueError(f"{[*beside, *alone][0]!r} is made from the tiers of units ('reached_in'), but {why}")
        return self

    @model_validator(mode="after")
    def _approvals_name_roles(self) -> Self:
        for action in ("promote", "demote"):
            if getattr(self.movement, action).approval is not None and not getattr(self.approvals, action):
                raise ValueError(f"movement.{action} asks for approval, but approvals.{action} names no role")
        return self


def check_ladder(tiers: Iterable[Tier]) -> None:
    """Check that tiers have different names and require only lower ones.

    Raises:
        ValueError: Otherwise.
    """
    lower: list[str] = []
    derived: list[str] = []
    for tier in tiers:
        if tier.name in lower:
            raise ValueError(f"the tier {tier.name!r} is there twice")
        if tier.name == EXIT:
            raise ValueError(f"{EXIT!r} is the word for leaving the program; give the tier another name")
        for key, names in (("requires", tier.requires), ("is reached in", tuple(tier.reached_in))):
            unknown = [name for name in names if name not in lower]
            if unknown:
                raise ValueError(
                    f"{tier.name!r} {key} {unknown[0]!r}, which is no lower tier; {hint(unknown[0], lower)}"
                )
        derived += [tier.name] if tier.reached_in else []
        if set(derived) & {*tier.requires, *tier.reached_in}:
            raise ValueError(f"{tier.name!r} cannot count {derived[0]!r}, which is itself made from the tiers of units")
        lower.append(tier.name)


def load_policy(path: Path) -> Policy:
    """Read one policy file.

    Raises:
        InvalidInput: With every fault of the file.
    """
    return load_settings(Policy, path)


def load_policies(folder: Path) -> tuple[Policy, ...]:
    """Read all policy files of a folder, ordered by the day they come into force.

    Raises:
        InvalidInput: With every fault of every file, or when two files start on the same day.
    """
    policies: list[Policy] = []
    faults: list[Fault] = []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            policies.append(load_policy(path))
        except InvalidInput as error:
            faults.extend(error.faults)
    faults.extend(_same_day_faults(policies, folder))
    if faults:
        raise InvalidInput(faults)
    return tuple(sorted(policies, key=lambda policy: policy.effective_from))


def _same_day_faults(policies: list[Policy], folder: Path) -> list[Fault]:
    times = Counter(policy.effective_from for policy in policies)
    return [
        Fault(f"{count} policies come into force on {day}", folder.name, todo="give each policy its own date")
        for day, count in sorted(times.items())
        if count > 1
    ]
