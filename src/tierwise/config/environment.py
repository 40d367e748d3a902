"""Placeholders of environment variables in addresses and paths: `${NAME}`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tierwise.config.names import hint
from tierwise.errors import Fault, InvalidInput

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def expand_environment(text: str, environment: Mapping[str, str]) -> str:
    """Replace every `${NAME}` by the variable's value; the settings keep the placeholder, so no secret is stored.

    Raises:
        InvalidInput: If variables are missing; all of them are named, their values never.
    """
    names = dict.fromkeys(match[1] for match in _PLACEHOLDER.finditer(text))
    missing = [name for name in names if name not in environment]
    if missing:
        raise InvalidInput([_missing(name, text, environment) for name in missing])
    return _PLACEHOLDER.sub(lambda match: environment[match[1]], text)


def _missing(name: str, text: str, environment: Mapping[str, str]) -> Fault:
    nearest = hint(name, environment)
    suffix = f"; {nearest}" if nearest.startswith("did you mean") else ""
    return Fault(f"the environment variable {name!r} is not set{suffix}", text, todo=f"set {name} and run again")
