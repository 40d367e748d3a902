"""Whatever is written in place of a setting, the answer is a workspace or a fault that names its place."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierwise.config.base import Settings
from tierwise.config.benefits import Benefits
from tierwise.config.catalog import Catalog
from tierwise.config.load import Workspace, load_workspace
from tierwise.config.policy import Policy
from tierwise.config.validation import check_settings
from tierwise.config.workspace import WorkspaceSettings
from tierwise.config.yaml_reader import Document, KeyPath, key_text, read_yaml
from tierwise.errors import InvalidInput

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "channel"
FILES = sorted(path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*.yaml"))
JUNK = [
    None, True, -1, 0, 10**30, 1.5, "", " ", "x", "no such name", "${A}", "../../etc/passwd", "'; drop table deals; --",
    "4 quarters", "9" * 400, "\U0001f600", "a.b.c", [], ["x"], [[]], [None], {}, {"x": 1}, {"": None},
    {"from": {"from": 1}}, {"all": [{"all": []}]}, {"check": 1}, {"by": "region", "default": "x"},
]  # fmt: skip


def paths(data: object, above: KeyPath = ()) -> Iterator[KeyPath]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*above, key)
        yield from paths(value, (*above, key))


MODELS = {
    "tierwise.yaml": WorkspaceSettings,
    "metrics.yaml": Catalog,
    "benefits.yaml": Benefits,
    "policies/2026-10-01.yaml": Policy,
}
# Mappings whose keys are names that the user gives.
OWN_NAMES = {
    "tables", "columns", "rules", "rates", "lookups", "metrics", "tiers", "capacity", "parameters", "scores",
    "growth_revenue", "max_share",
}  # fmt: skip
PLACES = [(file, path) for file in FILES for path in paths(read_yaml(EXAMPLE / file).data)]


def write(folder: Path, file: Path, data: object) -> None:
    (folder / file).write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")


def change(data: object, path: KeyPath, by: object) -> None:
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = by


def outcome(folder: Path) -> Workspace | tuple[str, ...]:
    try:
        return load_workspace(folder)
    except InvalidInput as refused:
        return tuple(fault.where for fault in refused.faults)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "channel"


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(JUNK)), min_size=1, max_size=3))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_junk_in_any_place_gives_a_workspace_or_faults_with_places(folder: Path, changes: list):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLE, folder)
    # Read once: what an earlier change wrote may be a file that cannot be read any more.
    contents = {file: read_yaml(folder / file).data for (file, _), _ in changes}
    for (file, path), junk in changes:
        if path in set(paths(contents[file])):
            change(contents[file], path, copy.deepcopy(junk))
            write(folder, file, contents[file])

    found = outcome(folder)

    named = re.compile(rf"{re.escape(str(folder))}/(\S+\.yaml:\d+( \(.+\))?|policies)$", re.DOTALL)
    assert isinstance(found, Workspace) or [where for where in found if not named.match(where)] == []
    assert found


def rename_last(data: object, path: KeyPath) -> None:
    for part in path[:-1]:
        data = data[part]
    data[f"{path[-1]}_x"] = data.pop(path[-1])


def is_accepted(model: type[Settings], data: dict[str, object]) -> bool:
    try:
        check_settings(model, Document("file.yaml", data))
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize(("file", "model"), MODELS.items(), ids=MODELS)
def test_a_misspelt_key_is_never_ignored_unless_it_is_a_name_of_ones_own(file: str, model: type[Settings]):
    ignored = []
    for path in [path for path in paths(read_yaml(EXAMPLE / file).data) if isinstance(path[-1], str)]:
        data = read_yaml(EXAMPLE / file).data
        rename_last(data, path)
        if is_accepted(model, data) and not OWN_NAMES & {path[-2] if len(path) > 1 else ""}:
            ignored.append(key_text(path))

    assert ignored == []
