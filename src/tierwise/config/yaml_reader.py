"""Safe reading of YAML settings files, with the line of every key.

The subset of YAML that is read is small on purpose. Keys are text. Values are text, whole and decimal numbers,
`true`/`false`, dates, lists and mappings. What YAML 1.1 would turn into something else stays text: `no`, `on`,
`yes`, `off` (the country code of Norway), `010` and `01` (codes, not octal numbers), `12:30`. Duplicate keys, tags
such as `!!python/object`, merge keys, deep nesting and alias bombs are faults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tierwise.errors import Fault, InvalidInput, OutsideFailure

KeyPath = tuple[str | int, ...]

MAX_FILE_BYTES = 1_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 30

_TAG = "tag:yaml.org,2002:"
_TEXT_TAG = _TAG + "str"
_COLLECTION_TAGS = frozenset((_TAG + "map", _TAG + "seq"))
_MERGE_TAG = _TAG + "merge"


@dataclass(frozen=True)
class Document:
    """The content of one settings file.

    Attributes:
        file: The file as shown in messages.
        data: The top-level mapping, of plain dicts, lists and scalars.
        lines: The line (from 1) of every key path; a list item's path ends with its index.
    """

    file: str
    data: dict[str, object]
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def where(self, path: KeyPath = ()) -> str:
        """Say where a key path stands: `metrics.yaml:12 (metrics.revenue_4q.window)`."""
        known = next((path[:end] for end in range(len(path), -1, -1) if path[:end] in self.lines), None)
        place = self.file if known is None else f"{self.file}:{self.lines[known]}"
        return f"{place} ({key_text(path)})" if path else place


def key_text(path: KeyPath) -> str:
    """Write a key path as people read it: `tiers[2].when`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_yaml(path: Path) -> Document:
    """Read one settings file whose top level is a mapping.

    Args:
        path: The file; messages show it as given.

    Raises:
        InvalidInput: If the file is missing, too large, not UTF-8, not YAML of the subset, or not a mapping.
        OutsideFailure: If the file cannot be read.
    """
    return parse_yaml(_read_bytes(path), str(path))


def parse_yaml(content: bytes, file: str) -> Document:
    """Read YAML bytes as `read_yaml` does; `file` is shown in messages.

    Raises:
        InvalidInput: With every fault found in the file.
    """
    loader = _open(content, file)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise InvalidInput(_syntax_fault(error, file)) from None
    except _TooMuchError as error:
        raise InvalidInput(Fault(error.what, f"{file}:{error.line}")) from None
    finally:
        loader.dispose()
    if node is None:
        raise InvalidInput(Fault("the file is empty", file, todo="see `tierwise init` for a filled example"))
    reading = _Reading(loader, file)
    data = reading.build(node, ())
    faults = (*loader.faults, *reading.faults)
    if faults:
        raise InvalidInput(faults)
    if not isinstance(data, dict):
        found = "a list" if isinstance(data, list) else f"{data!r}"
        raise InvalidInput(Fault(f"the file must be a mapping of keys to values; found {found}", f"{file}:1"))
    return Document(file, data, reading.lines)


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidInput(Fault(f"the file is larger than the allowed {MAX_FILE_BYTES:,} bytes", str(path)))
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(Fault("the file does not exist", str(path))) from None
    except IsADirectoryError:
        raise InvalidInput(Fault("this is a folder, not a file", str(path))) from None
    except OSError as error:
        raise OutsideFailure(Fault(f"the file cannot be read: {error.strerror}", str(path))) from None


def _open(content: bytes, file: str) -> _Loader:
    if len(content) > MAX_FILE_BYTES:
        raise InvalidInput(Fault(f"the file is larger than the allowed {MAX_FILE_BYTES:,} bytes", file))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            Fault(f"byte 0x{content[error.start]:02x} is not UTF-8", f"{file}:{line}", todo="save the file as UTF-8")
        ) from None
    try:
        return _Loader(text, file)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = error.character if isinstance(error.character, int) else ord(error.character)
        raise InvalidInput(Fault(f"the character U+{found:04X} is not allowed in YAML", f"{file}:{line}")) from None


def _syntax_fault(error: yaml.MarkedYAMLError, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    where = f"{file}:{mark.line + 1}" if mark else file
    problem = error.problem or error.context or "not YAML"
    todo = "indent with spaces, not tabs" if r"'\t'" in problem else ""
    if problem.startswith("mapping values are not allowed"):
        todo = "put text that contains ': ' in quotes, and check the indentation"
    if problem.startswith("but found another document"):
        return Fault("the file holds more than one YAML document", where, todo="remove the second '---'")
    return Fault(f"not readable as YAML: {problem}", where, todo=todo)


class _TooMuchError(Exception):
    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


class _Loader(yaml.SafeLoader):
    """The safe loader with YAML 1.2 scalars, a bound on depth, and duplicate keys found."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text)
        self.file = file
        self.faults: list[Fault] = []
        self._depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            line: int = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise _TooMuchError(f"values are nested more than {MAX_DEPTH} deep", line)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def compose_mapping_node(self, anchor: dict[Any, Node]) -> MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in first:
                what = f"the key {key.value!r} stands twice, first in line {first[key.value]}"
                self.faults.append(Fault(what, f"{self.file}:{line}", todo="remove or rename one of them"))
            first.setdefault(key.value, line)
        return node


def _add_scalars() -> None:
    _Loader.yaml_implicit_resolvers = {}
    forms = {
        "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
        "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        "int": (r"0|[-+]?[1-9][0-9_]*", "-+0123456789"),
        "float": (r"[-+]?(?:0|[1-9][0-9_]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
        "timestamp": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
        "merge": (r"<<", "<"),
    }
    for kind, (pattern, first) in forms.items():
        _Loader.add_implicit_resolver(_TAG + kind, re.compile(f"^(?:{pattern})$"), list(first))


_add_scalars()


class _Reading:
    """One walk over the nodes of a file: builds the data, notes lines and faults."""

    def __init__(self, loader: _Loader, file: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.faults: list[Fault] = []
        self._loader = loader
        self._file = file
        self._values = 0

    def build(self, node: Node, path: KeyPath) -> object:
        self._values += 1
        self.lines.setdefault(path, node.start_mark.line + 1)
        if self._values > MAX_VALUES or len(path) > MAX_DEPTH:
            self._refuse_size(node)
            return None
        if not self._is_plain(node):
            self._fault(node, f"the tag {node.tag.replace(_TAG, '!!')!r} is not allowed", "write plain values")
            return None
        if isinstance(node, MappingNode):
            return {name: self.build(value, (*path, name)) for name, value in self._pairs(node, path)}
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _pairs(self, node: MappingNode, path: KeyPath) -> Iterator[tuple[str, Node]]:
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._fault(
                    key, "a key must be text, not a list or a mapping", "quote the key if it starts with [ or {"
                )
            elif key.tag == _MERGE_TAG:
                self._fault(key, "merge keys ('<<') are not read", "write the keys out")
            elif not key.value:
                self._fault(key, "a key is empty", "write a name before the colon")
            else:
                self.lines[(*path, key.value)] = key.start_mark.line + 1
                yield key.value, value

    def _is_plain(self, node: Node) -> bool:
        """Whether the value has the tag that it would have by its look alone, or is declared to be text."""
        if not isinstance(node, ScalarNode):
            return node.tag in _COLLECTION_TAGS
        by_look = self._loader.resolve(ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
        return node.tag in (_TEXT_TAG, by_look)

    def _scalar(self, node: Node) -> object:
        try:
            return self._loader.construct_object(node)
        except (ValueError, yaml.YAMLError):
            kind = "date that exists" if node.tag == _TAG + "timestamp" else "number that can be read"
            self._fault(node, f"{str(node.value)[:40]!r} is not a {kind}", "put it in quotes if it is text")
            return None

    def _refuse_size(self, node: Node) -> None:
        if not any(fault.what.startswith("aliases") for fault in self.faults):
            self._fault(
                node, f"aliases expand to more than {MAX_VALUES:,} values or {MAX_DEPTH} levels", "write them out"
            )

    def _fault(self, node: Node, what: str, todo: str) -> None:
        self.faults.append(Fault(what, f"{self._file}:{node.start_mark.line + 1}", todo=todo))
