"""Letters are made from a written review without opening what a partner may not see."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jobs.tiny_workspace import AS_OF
from tests.pages.written_review import HOSTILE, VERSIONS, pages_workspace, review_tables, write_pages_review
from tierwise.config.load import Workspace
from tierwise.errors import InvalidInput
from tierwise.jobs.letters import NEVER_READ, letter
from tierwise.reports.letter import as_html, as_text
from tierwise.store import Review, lock_output, write_review

PARTNERS = 30
ONE = "P000003"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = pages_workspace(tmp_path)
    write_pages_review(made, PARTNERS)
    return made


def _rewritten(workspace: Workspace, tables: dict[str, pd.DataFrame]) -> str:
    with lock_output(workspace.output_folder, "other") as lock:
        write_review(lock, Review(AS_OF, "other", tables, VERSIONS | {"model": "9"}, score_columns=("value",)))
    return as_html(letter(workspace, ONE))


def test_no_other_partner_is_named_in_anyones_letter(workspace: Workspace) -> None:
    ids = review_tables(PARTNERS)["recommendations"]["partner_id"].tolist()
    for place in range(0, PARTNERS, 5):
        text = as_text(letter(workspace, ids[place]))
        assert not [other for other in ids if other in text and other != ids[place]]
        assert not [name for number, name in enumerate(HOSTILE) if name in text and number != place % len(HOSTILE)]


def test_other_partners_and_internal_figures_change_no_byte_of_a_letter(workspace: Workspace) -> None:
    before = as_html(letter(workspace, ONE))
    tables = review_tables(PARTNERS)
    draw = np.random.default_rng(5)
    mine = tables["recommendations"]["partner_id"] == ONE
    rows = tables["recommendations"].copy()
    rows.loc[~mine, "partner_name"] = "Somebody else"
    rows.loc[~mine, ["recommended_tier", "action"]] = ["entry", "hold"]
    for column in ("potential", "potential_low", "potential_high", "headroom", "value", "archetype_strength"):
        rows[column] = draw.gamma(2, 777_777, len(rows))
    tables["recommendations"] = rows.assign(archetype="another", model_version="9", data_fingerprint="beef")
    for name in NEVER_READ:
        numbers = tables[name].select_dtypes("float").columns
        tables[name] = tables[name].assign(**{column: draw.gamma(2, 999, len(tables[name])) for column in numbers})
    inner = tables["criteria"]["metric"].isin(["value", "potential_low"])
    tables["criteria"].loc[inner, ["value", "threshold"]] = [123_456.0, 98_765.0]
    tables["reasons"]["sentence"] = "Only for the manager."
    tables["plans"] = tables["plans"].assign(costs="USD 999 k", robustness=0.1, sentence="Only for the manager.")
    assert _rewritten(workspace, tables) == before


def test_what_a_letter_may_not_read_need_not_be_there(workspace: Workspace) -> None:
    before = as_html(letter(workspace, ONE))
    for name in NEVER_READ:
        (workspace.output_folder / AS_OF.isoformat() / f"{name}.parquet").unlink()
    assert as_html(letter(workspace, ONE)) == before


def test_an_unknown_partner_and_a_review_that_is_not_there_are_told(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput, match=r"no partner 'P00003'.*did you mean"):
        letter(workspace, "P00003")
    with pytest.raises(InvalidInput, match="no review as of 2020-01-01"):
        letter(workspace, ONE, as_of=date(2020, 1, 1))
    shutil.rmtree(workspace.output_folder)
    with pytest.raises(InvalidInput, match="no review yet"):
        letter(workspace, ONE)
