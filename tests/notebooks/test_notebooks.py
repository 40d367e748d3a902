"""Every notebook runs from top to bottom, in order of its number, and answers its question."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_notebooks_are_numbered_and_start_with_a_question() -> None:
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        first = nbformat.read(path, as_version=4).cells[0]
        assert re.match(r"\d\d-", path.name)
        assert first.cell_type == "markdown"
        assert "?" in first.source.splitlines()[0]


@pytest.mark.filterwarnings("ignore:Proactor event loop")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error"]
