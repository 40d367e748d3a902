"""Checking a settings file against its model: every fault with file, line, value found and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Sized
from itertools import islice
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Annotated, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tierwise.config.base import Settings
from tierwise.config.names import hint, nearest_name
from tierwise.config.yaml_reader import Document, KeyPath, read_yaml
from tierwise.errors import Fault, InvalidInput

AnySettings = TypeVar("AnySettings", bound=Settings)
_MOST_READINGS = 64

PATTERN_WORDS = MappingProxyType(
    {
        r"^[a-z][a-z0-9_]{0,62}$": "lower-case letters, digits and '_', starting with a letter, at most 63 characters",
        r"^[A-Z]{3}$": "a currency code of three capital letters, such as USD",
        r"^[A-Za-z][A-Za-z0-9 _+.&-]{0,39}$": "letters, digits, spaces and '_+.&-', starting with a letter, "
        "at most 40 characters",
        r"^min_[a-z][a-z0-9_]*$": "'min_' and the name of a figure",
        r"^\d+(\.\d+)? ?[KMGT]i?B$": "an amount of memory, such as 4GB or 500MiB",
    }
)
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
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    errors = [details for details in error.errors(include_url=False) if not _follows_from_another(details)]
    for path, details in _furthest(document.data, errors):
        by_path.setdefault(path, []).append(details)
    faults = [_fault(model, document, path, tried) for path, tried in by_path.items()]
    return tuple(sorted(faults, key=lambda fault: _line(fault.where)))


def _line(where: str) -> int:
    match = re.search(r":(\d+)(?: \(|$)", where)
    return int(match[1]) if match else 0


def _follows_from_another(details: ErrorDetails) -> bool:
    """A list that is long enough counts as too short for pydantic when its items are faulty."""
    given, least = details["input"], details.get("ctx", {}).get("min_length", 0)
    return details["type"] == "too_short" and isinstance(given, Sized) and len(given) >= least


def _furthest(data: object, errors: Sequence[ErrorDetails]) -> Iterator[tuple[KeyPath, ErrorDetails]]:
    """Give each error its key path; of a union keep the branch that came furthest, the one the user meant."""
    located = [(*_locate(data, details), details) for details in errors]
    reach: dict[KeyPath, dict[str | int, int]] = {}
    for path, branches, details in located:
        for index in branches:
            union = reach.setdefault(details["loc"][:index], {})
            branch = details["loc"][index]
            union[branch] = max(union.get(branch, 0), len(path))
    for path, branches, details in located:
        unions = [(reach[details["loc"][:index]], details["loc"][index]) for index in branches]
        if all(union[branch] == max(union.values()) for union, branch in unions):
            yield path, details


def _locate(data: object, details: ErrorDetails) -> tuple[KeyPath, tuple[int, ...]]:
    """Tell the file's key path from pydantic's location, and where in the location union branches stand.

    A branch may be called like a key of the file, so the reading that ends at the faulty value is taken.
    """
    readings = list(islice(_readings(data, details["loc"], 0, details["type"] == "missing"), _MOST_READINGS))
    path, branches, _ = next((reading for reading in readings if reading[2] is details["input"]), readings[0])
    return path, branches


def _readings(
    data: object, location: KeyPath, start: int, is_missing: bool
) -> Iterator[tuple[KeyPath, tuple[int, ...], object]]:
    if start == len(location):
        yield (), (), data
        return
    part = location[start]
    if _has(data, part):
        for path, branches, end in _readings(data[part], location, start + 1, is_missing):  # type: ignore[index]
            yield (part, *path), branches, end
    if is_missing and start == len(location) - 1:
        yield (part,), (), data
    for path, branches, end in _readings(data, location, start + 1, is_missing):
        yield path, branches if part == "[key]" else (start, *branches), end


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


def _fault(model: type[BaseModel], document: Document, path: KeyPath, tried: Sequence[ErrorDetails]) -> Fault:
    """Say what is wrong at a key path; of a union all branches that were tried."""
    details, where = tried[0], document.where(path)
    kind, given = details["type"], details["input"]
    if kind == "extra_forbidden":
        return Fault(f"unknown key {str(path[-1])!r}; {hint(str(path[-1]), _known_keys(model, path[:-1]))}", where)
    if kind == "missing":
        return Fault(f"the required key {str(path[-1])!r} is missing", where)
    if kind == "value_error":
        return Fault(str(details["ctx"]["error"]), where)
    expected = [words for words in dict.fromkeys(_expected(attempt) for attempt in tried) if words]
    wanted = f"expected {' or '.join(expected)}{_nearest_word(given, tried)}" if expected else details["msg"]
    return Fault(f"found {_shown(given)}; {wanted}", where, todo=_quoting(kind, given))


def _expected(details: ErrorDetails) -> str:
    """What pydantic would have taken, in words; empty for a message of a model's own."""
    kind, context = details["type"], details.get("ctx", {})
    if "expected" in context:
        return str(context["expected"])
    if kind == "string_pattern_mismatch":
        return PATTERN_WORDS.get(str(context["pattern"]), f"text of the form {context['pattern']}")
    for bound, words in _BOUNDS.items():
        if bound in context:
            return f"{words} {_shown(context[bound])}"
    for bound, words in _LENGTHS.items():
        if bound in context:
            thing = "character" if kind.startswith("string") else "item"
            return f"{words} {context[bound]} {thing}{'' if context[bound] == 1 else 's'}"
    for start, words in _EXPECTED_TYPES:
        if kind.startswith(start):
            return words
    return ""


def _nearest_word(given: object, tried: Sequence[ErrorDetails]) -> str:
    allowed = [
        word for details in tried for word in re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected")))
    ]
    nearest = nearest_name(given, allowed) if isinstance(given, str) else None
    return f"; did you mean {nearest!r}?" if nearest else ""


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
    if isinstance(given, float):
        return f"{given:.15g}"
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
