"""What lint finds in a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Attributes:
        code: What kind of thing; docs/policy-language.md explains each.
        severity: `error`: the policy cannot be used; `warning`: probably not meant; `note`: worth knowing.
        place: Where in the policy.
        message: The finding in one sentence, with the values at fault.
        example: Facts of a partner that shows it, if there is one.
        todo: What can be done about it.
    """

    code: str
    severity: Severity
    place: str
    message: str
    example: Mapping[str, object] = field(default_factory=dict)
    todo: str = ""

    @property
    def example_text(self) -> str:
        """The example partner in one line."""
        return ", ".join(f"{name} = {shown(value)}" for name, value in self.example.items())

    def __str__(self) -> str:
        lines = [f"{self.severity} {self.code} at {self.place}: {self.message}"]
        if self.example:
            lines.append(f"  for example a partner with {self.example_text}")
        if self.todo:
            lines.append(f"  to do: {self.todo}")
        return "\n".join(lines)


def shown(value: object) -> str:
    """A value as people read it: no trailing zeros, true and false in words."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,.10g}" if isinstance(value, float) else str(value)
