"""The common base of every settings model, and what its docstrings say about each key."""

from __future__ import annotations

import re
from inspect import cleandoc

from pydantic import BaseModel, ConfigDict

_FIELD = re.compile(r"^    (\w+): (.*)$")
_SECTION = re.compile(r"^(Attributes|Args|Returns|Raises|Yields|Examples?|Notes?):$")


class Settings(BaseModel):
    """Frozen settings; a key that is not declared is a fault, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False)


def summary_doc(model: type[BaseModel]) -> str:
    """What a model's docstring says before its first section, without the line breaks of paragraphs."""
    lines = []
    for line in cleandoc(model.__doc__ or "").splitlines():
        if _SECTION.match(line):
            break
        lines.append(line)
    return "\n\n".join(" ".join(part.split()) for part in "\n".join(lines).strip().split("\n\n"))


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """What the `Attributes:` section of a model's docstring (Google style) says about each of its own fields."""
    docs: dict[str, str] = {}
    inside, current = False, ""
    for line in cleandoc(model.__doc__ or "").splitlines():
        if _SECTION.match(line):
            inside = line == "Attributes:"
        elif inside and (match := _FIELD.match(line)):
            current = match[1]
            docs[current] = match[2].strip()
        elif inside and current and line.strip():
            docs[current] += f" {line.strip()}"
    return docs
