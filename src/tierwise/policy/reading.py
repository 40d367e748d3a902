"""Reading a policy's expressions: every unknown name and every refused text is collected, then reported at once."""

from __future__ import annotations

from collections.abc import Collection

from tierwise.config.policy import Policy
from tierwise.config.policy_rules import AllOf, AnyOf, AtLeast, Check, FlagInForce, Rule, TrackReached
from tierwise.engine import Expression, ExpressionKind, check_names, parse_expression
from tierwise.errors import Fault, InvalidInput


class Reading:
    """Parses a policy's expressions once each and collects what is wrong with them.

    Attributes:
        faults: What was wrong so far.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._parsed: dict[tuple[str, ExpressionKind], Expression | None] = {}
        self.faults: list[Fault] = []

    def where(self, place: str) -> str:
        """Where something stands: the policy's version and the key path."""
        return f"{self._policy.version} ({place})"

    def parse(self, text: str, place: str, kind: ExpressionKind = "scalar") -> Expression | None:
        """Parse an expression, or collect why it is refused."""
        if (text, kind) not in self._parsed:
            try:
                self._parsed[text, kind] = parse_expression(text, where=self.where(place), kind=kind)
            except InvalidInput as error:
                self.faults.extend(error.faults)
                self._parsed[text, kind] = None
        return self._parsed[text, kind]

    def parse_known(
        self, text: str, place: str, known: Collection[str], kind: ExpressionKind = "scalar"
    ) -> Expression | None:
        """Parse an expression and collect its unknown names too."""
        expression = self.parse(text, place, kind)
        if expression is None:
            return None
        unknown = check_names(expression, known, self.where(place))
        self.faults.extend(fault for fault in unknown if fault not in self.faults)
        return None if unknown else expression

    def fail(self, what: str, place: str) -> None:
        """Collect another fault."""
        self.faults.append(Fault(what, self.where(place)))

    def finish(self) -> None:
        """Raise what was collected.

        Raises:
            InvalidInput: With every fault, if there is any.
        """
        if self.faults:
            raise InvalidInput(list(dict.fromkeys(self.faults)))


def rule_texts(rule: Rule, place: str) -> list[tuple[str, str]]:
    """Every expression of a rule with its key path."""
    if isinstance(rule, str):
        return [(rule, place)]
    if isinstance(rule, Check):
        options = {"check": rule.check, "applies_if": rule.applies_if, "keep": rule.keep}
        return [(text, f"{place}.{key}") for key, text in options.items() if text is not None]
    return [found for part, path in rule_parts(rule, place) for found in rule_texts(part, path)]


def rule_parts(rule: Rule, place: str) -> list[tuple[Rule, str]]:
    """The parts of a group with their key paths; a criterion has none."""
    if isinstance(rule, AllOf):
        return [(part, f"{place}.all[{index}]") for index, part in enumerate(rule.all)]
    if isinstance(rule, AnyOf):
        return [(part, f"{place}.any[{index}]") for index, part in enumerate(rule.any)]
    if isinstance(rule, AtLeast):
        return [(part, f"{place}.at_least.of[{index}]") for index, part in enumerate(rule.at_least.of)]
    return []


def rule_flags(rule: Rule) -> set[str]:
    """The flags that a rule asks for."""
    if isinstance(rule, FlagInForce):
        return {rule.flag}
    return {flag for part, _ in rule_parts(rule, "") for flag in rule_flags(part)}


def rule_tracks(rule: Rule) -> list[TrackReached]:
    """The tracks that a rule asks for."""
    if isinstance(rule, TrackReached):
        return [rule]
    return [track for part, _ in rule_parts(rule, "") for track in rule_tracks(part)]
