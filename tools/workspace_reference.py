"""The page `docs/workspace-reference.md`: every key of every settings file, from the models, and a whole example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tierwise.config.base import summary_doc
from tierwise.config.schema import FILES, json_schema
from tierwise.config.validation import PATTERN_WORDS

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "channel"

INTRODUCTION = """\
# Workspace reference

A workspace is a folder of YAML files. This page lists every key of each file: its type, what it is when left out, what
is allowed, and what it means. It is generated from the settings models (`make docs`); `tierwise schema` exports the
same as JSON Schemas, with which editors complete and check the files.

How the files are read: keys and values are plain; `no`, `on`, `yes` and `off` are text, and so are `010` and `12:30`.
Duplicate keys, merge keys (`<<`), tags (`!!python/...`) and unknown keys are faults, never ignored. All faults of all
files are reported at once, each with its file, line and key path.

In key paths, `<name>` stands for a name of your choice and `[]` for each item of a list. A type such as *text or
mapping* takes a short form too: the mapping's keys are the rows below it. *A name* is {name}.
"""

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "null": "nothing",
}
_NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
_NAMED_TYPES = ("Window", "Length of time")


@dataclass(frozen=True)
class Row:
    """One key of a file.

    Attributes:
        path: The key path.
        kind: The type in words.
        default: What it is when left out; `required` when it may not be.
        allowed: Values and bounds.
        meaning: What the model's docstring says.
    """

    path: str
    kind: str
    default: str
    allowed: str
    meaning: str


def page() -> str:
    """The whole page."""
    introduction = INTRODUCTION.replace("{name}", PATTERN_WORDS[_NAME_PATTERN])
    parts = [introduction, *(_section(file, json_schema(model), summary_doc(model)) for file, model in FILES.values())]
    return "\n".join([*parts, _example()])


def rows(schema: dict[str, Any]) -> list[Row]:
    """Every key of a file, each before the keys below it; keys of a model that stands in several places once."""
    models = schema.get("$defs", {})
    return list(_rows(schema, "", models, _homes(schema, models)))


def _homes(schema: dict[str, Any], models: dict[str, Any]) -> dict[str, str]:
    """The key path under which each model's keys are listed: the one nearest to the top, of equals the first."""
    homes: dict[str, str] = {}
    level = [(schema, "")]
    while level:
        below: list[tuple[dict[str, Any], str]] = []
        for node, path in level:
            for branch, name in _branches(node, models):
                if not name or homes.setdefault(name, path) == path:
                    below += _children(branch, path)
        level = below
    return homes


def _children(branch: dict[str, Any], path: str) -> list[tuple[dict[str, Any], str]]:
    start = f"{path}." if path else ""
    found = [(value, f"{start}{key}") for key, value in branch.get("properties", {}).items()]
    found += [(value, f"{path}.<name>") for value in _values(branch)]
    return [*found, *([(branch["items"], f"{path}[]")] if "items" in branch else [])]


def _rows(node: dict[str, Any], path: str, models: dict[str, Any], homes: dict[str, str]) -> Iterator[Row]:
    branches = list(_branches(node, models))
    is_one_form = sum("properties" in branch for branch, _ in branches) == 1
    for branch, name in branches:
        if name and homes[name] != path:
            continue
        required = dict.fromkeys(branch.get("required", ()), "required" if is_one_form else "required in this form")
        properties = branch.get("properties", {})
        for value, child in _children(branch, path):
            key = child.rsplit(".", 1)[-1]
            if key in properties and properties[key] is value:
                yield _row(child, value, required.get(key), models, homes)
            yield from _rows(value, child, models, homes)


def _branches(node: dict[str, Any], models: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The schemas that a node stands for, with their models' names: itself, what it refers to, its alternatives."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        yield from ((branch, inner or name) for branch, inner in _branches(models[name], models))
    for alternative in node.get("anyOf", node.get("oneOf", ())):
        yield from _branches(alternative, models)
    if "type" in node or "enum" in node or "const" in node:
        yield node, ""


def _values(branch: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of the values of a mapping whose keys are free."""
    free = branch.get("additionalProperties")
    return [*branch.get("patternProperties", {}).values(), *([free] if isinstance(free, dict) else [])]


def _row(path: str, node: dict[str, Any], required: str | None, models: dict[str, Any], homes: dict[str, str]) -> Row:
    branches = [(branch, name) for branch, name in _branches(node, models) if branch.get("type") != "null"]
    kinds = dict.fromkeys(_kind(branch, models) for branch, _ in branches)
    allowed = dict.fromkeys(text for branch, _ in branches for text in _allowed(branch, models))
    elsewhere = dict.fromkeys(home for home in _listed_elsewhere(path, node, models, homes))
    meaning = [str(node.get("description", "")), *(f"Keys as under `{home}`." for home in elsewhere)]
    return Row(
        path,
        " or ".join(kinds),
        required or _default(node.get("default")),
        "; ".join(allowed),
        " ".join(meaning),
    )


def _listed_elsewhere(path: str, node: dict[str, Any], models: dict[str, Any], homes: dict[str, str]) -> Iterator[str]:
    """Where the keys of the models at a key path, or of its values or items, are listed, if not there."""
    for branch, name in _branches(node, models):
        if name and "properties" in branch and homes[name] != path:
            yield homes[name]
        elif not name:
            for value, child in _children({**branch, "properties": {}}, path):
                yield from _listed_elsewhere(child, value, models, homes)


def _kind(branch: dict[str, Any], models: dict[str, Any]) -> str:
    if branch.get("title") in _NAMED_TYPES:
        return str(branch["title"]).lower()
    if branch.get("format") == "date":
        return "date"
    if branch.get("type") == "array":
        items = dict.fromkeys(_kind(item, models) for item, _ in _branches(branch.get("items", {}), models))
        return f"list of {' or '.join(items)}" if items else "list"
    if branch.get("type") == "object" and _values(branch):
        kinds = dict.fromkeys(
            _kind(value, models) for values in _values(branch) for value, _ in _branches(values, models)
        )
        return f"{' or '.join(kinds)}{',' if len(kinds) > 1 else ''} by name"
    kind = branch.get("type") or ("string" if "enum" in branch or isinstance(branch.get("const"), str) else "integer")
    return _TYPES[kind]


def _allowed(branch: dict[str, Any], models: dict[str, Any]) -> Iterator[str]:
    if "enum" in branch:
        yield ", ".join(f"`{value}`" for value in branch["enum"])
    if "const" in branch:
        yield f"`{branch['const']}`"
    if branch.get("title") not in _NAMED_TYPES and "pattern" in branch:
        words = PATTERN_WORDS.get(branch["pattern"], f"the form `{branch['pattern']}`")
        yield "a name" if branch["pattern"] == _NAME_PATTERN else words
    for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<")):
        if key in branch:
            yield f"{sign} {branch[key]:g}"
    if "items" in branch:
        for item, _ in _branches(branch["items"], models):
            yield from _allowed(item, models)


def _default(value: object) -> str:
    if value is None or isinstance(value, dict) or value in ("", []):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{', '.join(map(str, value))}`" if isinstance(value, list) else f"`{value}`"


def _section(file: str, schema: dict[str, Any], summary: str) -> str:
    lines = [
        f"## `{file}`",
        "",
        summary,
        "",
        "| key | type | default | allowed | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows(schema):
        cells = (f"`{row.path}`", row.kind, row.default, row.allowed, row.meaning)
        lines.append(f"| {' | '.join(_cell(text) for text in cells)} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _example() -> str:
    lines = [
        "## A whole workspace",
        "",
        "The files of `docs/examples/channel`, which a test loads. Only `tierwise.yaml`, `metrics.yaml` and, for",
        "scoring, one policy are needed; `tierwise init` writes a smaller start.",
        "",
    ]
    for path in sorted(EXAMPLE.rglob("*.yaml"), key=_order):
        lines += [
            f"### `{path.relative_to(EXAMPLE).as_posix()}`",
            "",
            "```yaml",
            path.read_text(encoding="utf-8").rstrip(),
            "```",
            "",
        ]
    return "\n".join(lines)


def _order(path: Path) -> tuple[int, str]:
    names = ["tierwise.yaml", "metrics.yaml", "policies", "benefits.yaml"]
    return names.index(path.relative_to(EXAMPLE).parts[0]), path.name
