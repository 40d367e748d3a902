"""Checking a settings file against its model: every fault with file, line, value found and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tierwise.config.base import Settings
from tierwise.config.names import hint
from tierwise.config.yaml_reader import Document, KeyPath, read_yaml
from tierwise.errors import Fault, InvalidInput

AnySettings = TypeVar("AnySettings", bound=Settings)
_MOST_READINGS = 64

_PATTERNS = {
    r"^[a-z][a-z0-9_]{0,62}$": "lower-case letters, digits and '_', starting with a letter, at most 63 characters",
    r"^[A-Z]{3}$": "a currency code of three capital letters, such as USD",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
_LENGTHS = {"min_length": "at least", "max_length": "at most"}
_EXPECTED_TYPES = (
    ("string", "text"),
    ("int", "a whole number"),
    ("float", "a number"),
    ("finite_number", "a finite number"),
    ("decimal", "a number"),
    ("bool", "true or false"),
    ("date", "a date such as 2026-10-01"),
    ("model", "a mapping of keys to values"),
    ("dict", "a mapping of keys to values"),
    ("mapping", "a mapping of keys to values"),
    ("tuple", "a list"),
    ("list", "a list"),
)


def load_settings(model: type[AnySettings], path: Path) -> AnySettings:
    """Read one settings file and check it against its model.

    Raises:
        InvalidInput: With every fault of the file.
    """
    return check_settings(model, read_yaml(path))


def check_settings(model: type[AnySettings], document: Document) -> AnySettings:
    """Check the content of a file against its model.

    Raises:
        InvalidInput: With every fault of the file, in the order of its lines.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise InvalidInput(settings_faults(model, document, error)) from None


def settings_faults(model: type[BaseModel], document: Document, error: ValidationError) -> tuple[Fault, ...]:
    """Turn pydantic's errors into faults that name file, line, key path, value found and what is allowed."""
    found = [(*_locate(document.data, details), details) for details in error.errors(include_url=False)]
    branches = _deepest_branches(found)
    faults = [_fault(model, document, path, details) for path, details in branches]
    unique = dict.fromkeys(faults)
    return tuple(sorted(unique, key=lambda fault: _line(fault.where)))


def _line(where: str) -> int:
    match = re.search(r":(\d+)(?: \(|$)", where)
    return int(match[1]) if match else 0


def _locate(data: object, details: ErrorDetails) -> tuple[KeyPath, KeyPath]:
    """Split pydantic's location into the file's key path and the names of the union branches that were tried.

    A branch may be called like a key of the file, so the reading that ends at the faulty value is taken.
    """
    readings = list(islice(_readings(data, details["loc"], details["type"] == "missing"), _MOST_READINGS))
    path, branches, _ = next((reading for reading in readings if reading[2] is details["input"]), readings[0])
    return path, branches


def _readings(data: object, location: KeyPath, is_missing: bool) -> Iterator[tuple[KeyPath, KeyPath, object]]:
    if not location:
        yield (), (), data
        return
    part, rest = location[0], location[1:]
    if _has(data, part):
        for path, branches, end in _readings(data[part], rest, is_missing):  # type: ignore[index]
            yield (part, *path), branches, end
    if is_missing and not rest:
        yield (part,), (), data
    for path, branches, end in _readings(data, rest, is_missing):
        yield path, branches if part == "[key]" else (part, *branches), end


def _has(data: object, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, (list, tuple)) and isinstance(part, int) and part < len(data)


def _deepest_branches(found: list[tuple[KeyPath, KeyPath, ErrorDetails]]) -> Iterator[tuple[KeyPath, ErrorDetails]]:
    """Of the errors of a union's branches keep those that came furthest: the branch the user most likely meant."""
    for path, branches, details in found:
        if not branches:
            yield path, details
            continue
        depth = len(path)
        rivals = [len(other) for other, tried, _ in found if tried and other[: depth - 1] == path[: depth - 1]]
        if depth == max(rivals):
            yield path, details


def _fault(model: type[BaseModel], document: Document, path: KeyPath, details: ErrorDetails) -> Fault:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        return Fault(f"unknown key {str(path[-1])!r}; {hint(str(path[-1]), known)}", document.where(path))
    if kind == "missing":
        return Fault(f"the required key {str(path[-1])!r} is missing", document.where(path))
    if kind in ("literal_error", "enum"):
        return Fault(_not_allowed(given, str(context["expected"])), document.where(path))
    if kind == "value_error":
        return Fault(str(context["error"]), document.where(path))
    return Fault(_not_fitting(kind, given, context, details["msg"]), document.where(path), todo=_quoting(kind, given))


def _not_allowed(given: object, expected: str) -> str:
    allowed = re.findall(r"'([^']*)'", expected)
    nearest = hint(given, allowed) if isinstance(given, str) else ""
    return f"found {_shown(given)}; allowed are {expected}" + (f"; {nearest}" if nearest.startswith("did") else "")


def _not_fitting(kind: str, given: object, context: Mapping[str, Any], message: str) -> str:
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return f"found {_shown(given)}; expected {_PATTERNS.get(pattern, f'text of the form {pattern}')}"
    for bound, words in _BOUNDS.items():
        if bound in context:
            return f"found {_shown(given)}; expected {words} {context[bound]}"
    for bound, words in _LENGTHS.items():
        if bound in context:
            return f"found {_shown(given)}; expected {words} {context[bound]} characters or items"
    for start, words in _EXPECTED_TYPES:
        if kind.startswith(start):
            return f"found {_shown(given)}; expected {words}"
    return f"found {_shown(given)}: {message}"


def _quoting(kind: str, given: object) -> str:
    is_plain = given is not None and not isinstance(given, (str, dict, list))
    return f'put it in quotes: "{given}"' if kind == "string_type" and is_plain else ""


def _shown(given: object) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, (list, tuple)):
        return "a list"
    text = repr(given) if isinstance(given, str) else str(given)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _known_keys(annotation: object, path: KeyPath) -> list[str]:
    """The keys that the models allow at a key path; of a union the keys of all its branches."""
    models = _models_at(annotation, path)
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})


def _models_at(annotation: object, path: KeyPath) -> list[type[BaseModel]]:
    if hasattr(annotation, "__value__"):  # a recursive `type` alias
        return _models_at(annotation.__value__, path)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _models_at(arguments[0], path)
    if origin in (Union, UnionType):
        return [model for branch in arguments for model in _models_at(branch, path)]
    if not path:
        return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
    if origin in (dict, Mapping, list, tuple):
        item = arguments[1] if origin in (dict, Mapping) else arguments[0]
        return _models_at(item, path[1:])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in annotation.model_fields.items()}
        return _models_at(fields.get(str(path[0])), path[1:])
    return []
