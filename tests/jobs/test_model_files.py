"""Which hyper-parameters train: the workspace's own file before the shipped one of the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.tiny_workspace import write_workspace
from tierwise.config.load import Workspace
from tierwise.config.model_spec import ModelSpec
from tierwise.errors import InvalidInput
from tierwise.jobs.model_files import load_model_spec, shipped_models


def _workspace(folder: Path, model: str = "default", **files: str) -> Workspace:
    for name, text in files.items():
        (folder / "models").mkdir(exist_ok=True, parents=True)
        (folder / "models" / f"{name}.yaml").write_text(text, "utf-8")
    return write_workspace(folder, {}, potential={"model": model})


def test_the_shipped_file_says_what_the_program_does_without_one(tmp_path: Path) -> None:
    assert (shipped_models() / "default.yaml").is_file()
    assert load_model_spec(_workspace(tmp_path)) == ModelSpec(tierwise_model=1)


def test_the_workspaces_own_file_wins_over_the_shipped_one(tmp_path: Path) -> None:
    own = _workspace(tmp_path, default="tierwise_model: 1\npotential: {trees: {trees: 7}}\n")
    assert load_model_spec(own).potential.trees.trees == 7


def test_a_file_of_another_name_is_found_by_it(tmp_path: Path) -> None:
    own = _workspace(tmp_path, "quick", quick="tierwise_model: 1\narchetypes: {starts: 2}\n")
    assert load_model_spec(own).archetypes.starts == 2


def test_an_unknown_name_hints_at_the_nearest_of_both_folders(tmp_path: Path) -> None:
    content = "tierwise_model: 1\n"
    with pytest.raises(InvalidInput, match="no model specification 'quik'; did you mean 'quick'"):
        load_model_spec(_workspace(tmp_path, "quik", quick=content))
    with pytest.raises(InvalidInput, match="did you mean 'default'"):
        load_model_spec(_workspace(tmp_path, "defualt", quick=content))
    with pytest.raises(InvalidInput, match=r"known are 'default', 'quick'(.|\n)*to do: write models/zzz\.yaml"):
        load_model_spec(_workspace(tmp_path, "zzz", quick=content))


def test_a_fault_in_the_file_is_told_with_its_place(tmp_path: Path) -> None:
    own = _workspace(tmp_path, default="tierwise_model: 1\npotential: {trees: {trees: 0, leafs: 3}}\n")
    with pytest.raises(InvalidInput) as caught:
        load_model_spec(own)
    told = str(caught.value)
    assert "potential.trees.trees" in told
    assert "leafs" in told
    assert "leaves" in told
