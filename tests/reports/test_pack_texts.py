"""The review pack as a digest, as sheets and as one line: the same counts everywhere, and names that harm nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.reports import pack as pack_report
from tierwise.reports.digest import LONGEST_NAME, MOST, as_markdown, plain
from tierwise.reports.pack import (
    ArchetypeLine,
    GuardrailHit,
    MatrixLine,
    Pack,
    PackRow,
    PackWritten,
    TierLine,
)
from tierwise.reports.partner_words import ACTION_WORDS, SHAPES
from tierwise.reports.workbook import ACTION_COLOURS, TIER_COLOURS, sheets_of
from tierwise.store.workbook import Sheet


def _row(number: int, **changes: object) -> PackRow:
    row = PackRow(
        f"P{number}", f"Partner {number}", "EMEA", "Ada", "Steady", "growth", "growth", "hold", "Meets the line.", "",
        1000.0 * number, f"USD {number} k", 2000.0, "USD 2 k", False, "",
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]


UP = _row(1, recommended_tier="strategic", action="promote", why="Revenue grew.", approval_role="vp-channel")
DOWN = _row(2, recommended_tier="entry", action="demote", why="Below the line twice.", is_at_risk=True)
NEAR = _row(3, missing="Two certified people.")
BARE = _row(4, name="P4", value=None, shown_value="–", potential=None, shown_potential="–", region="", archetype="")
PACK = Pack(
    "Shop", date(2026, 9, 30), ("strategic", "growth", "entry"), "won revenue", "USD", "USD 6 k", "USD 2 k",
    (("promote", 1), ("demote", 1), ("hold", 2)),
    (TierLine("strategic", 1, 0.25, 0, 1 / 6, "USD 1 k"), TierLine("growth", 2, 0.5, 4, None, "–"),
     TierLine("entry", 1, 0.25, None, 0.5, "USD 2 k")),
    (MatrixLine("strategic", ((0, 0), (0, -1))), MatrixLine("growth", ((1, 1), (2, 0)))),
    (ArchetypeLine("Steady", 3, "USD 6 k", 1.0, (0.2, None, 0.8)),),
    (GuardrailHit("At most two steps down", 1200, (DOWN, BARE)),),
    (UP, DOWN), (NEAR,), (DOWN,), (UP, DOWN, NEAR, BARE),
    (("data", "f00d"), ("model", "3"), ("policy", "standard@2026-07-01"), ("run", "run-1")),
)  # fmt: skip
DIGEST = as_markdown(PACK)
SHEETS = {sheet.name: sheet for sheet in sheets_of(PACK)}


def _records(sheet: Sheet) -> list[dict[str, object]]:
    return [dict(zip([column.title for column in sheet.columns], row, strict=True)) for row in sheet.rows]


def test_the_digest_begins_with_what_the_review_is_and_its_counts() -> None:
    assert DIGEST.split("\n\n")[:2] == [
        "# Partner review as of 2026-09-30: Shop",
        "* 4 partners: promote 1, demote 1, hold 2.\n"
        "* 1 partner below the line of their tier, with USD 2 k of USD 6 k (won revenue).\n"
        "* 1 move to approve.",
    ]


def test_a_tier_without_a_past_or_a_value_has_a_dash_and_no_zero() -> None:
    table = [line for line in DIGEST.splitlines() if line.startswith("|")]
    assert table[2:] == [
        "| strategic | 1 | 0 | 16.7 % |",
        "| growth | 2 | 4 | – |",
        "| entry | 1 | – | 50.0 % |",
    ]


def test_who_moves_is_told_by_shape_move_value_and_reason() -> None:
    assert "* **Partner 1 (P1)**: ▲ growth → strategic, USD 1 k: Revenue grew." in DIGEST.splitlines()
    assert "* **Partner 2 (P2)**: ▼ growth → entry, USD 2 k: Below the line twice." in DIGEST.splitlines()


def test_a_digest_names_what_it_was_made_from_and_not_the_data() -> None:
    assert DIGEST.endswith("\n\nMade from model 3, policy standard@2026-07-01, run run-1\n")
    assert "## Guardrails\n\n* At most two steps down: 1,200" in DIGEST


@pytest.mark.parametrize("heading", ["Who moves", "At risk", "One item short of the next tier"])
def test_an_empty_list_is_said_to_be_empty(heading: str) -> None:
    quiet = as_markdown(replace(PACK, movers=(), at_risk=(), near_misses=(), guardrails=()))
    assert f"## {heading}\n\nNobody." in quiet
    assert "Guardrails" not in quiet


def test_a_review_that_stores_no_values_claims_none() -> None:
    pack = replace(PACK, partners=(BARE,), at_risk=(BARE,))
    assert not pack.knows_value
    assert "1 partner below the line of their tier.\n" in as_markdown(pack)


@pytest.mark.parametrize(("rows", "more"), [(MOST, ""), (MOST + 1, "* and 1 more"), (MOST + 1500, "* and 1,500 more")])
def test_long_lists_are_cut_with_the_number_left_out(rows: int, more: str) -> None:
    digest = as_markdown(replace(PACK, near_misses=tuple(_row(i, missing="x") for i in range(rows))))
    section = digest.split("## One item short")[1].split("##")[0]
    assert section.startswith(f" of the next tier ({rows:,})")
    assert section.count("* **") == MOST
    assert re.findall(r"^\* and .*$", section, re.MULTILINE) == ([more] if more else [])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[free](http://x)", "\\[free\\]\\(http:\u200b//x\\)"), ("@channel", "@\u200bchannel"), ("a\nb", "a b"),
        ("<b>", "&lt;b&gt;"), ("R&D", "R&amp;D"), ("*bold*_x_", "\\*bold\\*\\_x\\_"), ("a|b", "a\\|b"), ("", ""),
    ],
)  # fmt: skip
def test_a_text_from_data_is_shown_as_it_is(name: str, shown: str) -> None:
    assert plain(name) == shown


@given(st.text(max_size=500))
def test_no_text_from_data_makes_a_line_a_link_or_a_mention(text: str) -> None:
    shown = plain(text)
    assert len(shown.splitlines()) <= 1
    assert "://" not in shown
    assert "<" not in shown
    assert not re.search(r"@(?!\u200b)|(?<!\\)[\[\]`|]", shown)


def test_a_long_name_is_cut_and_an_id_without_a_name_is_told_once() -> None:
    digest = as_markdown(replace(PACK, movers=(replace(UP, name="x" * 300), replace(DOWN, name="P2"))))
    assert f"* **{'x' * (LONGEST_NAME - 1)}… (P1)**" in digest
    assert "* **P2**: ▼" in digest


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [("growth", "growth", "growth"), ("", "entry", "entry"), ("growth", "entry", "growth → entry")],
)
def test_a_move_names_two_tiers_only_where_there_are_two(before: str, after: str, move: str) -> None:
    assert _row(1, current_tier=before, recommended_tier=after).move == move


def test_counts_of_the_pack_come_from_its_rows() -> None:
    assert (PACK.waiting, PACK.moved("promote"), PACK.moved("watch"), PACK.knows_value) == (1, 1, 0, True)


@pytest.mark.parametrize(("partners", "said"), [(1, "1 partner in"), (12_000, "12,000 partners in")])
def test_the_pack_says_where_it_is_and_counts_one_as_one(partners: int, said: str) -> None:
    written = PackWritten("out/pack", 3, 0, partners, {"insufficient_evidence": 1, "promote": 2000})
    text = pack_report.as_text(written)
    assert text.startswith(f"review pack of {said} out/pack: not enough evidence 1, promote 2,000\n")
    assert "one-pagers: 3" in text
    assert pack_report.as_payload(written)["counts"] == {"insufficient_evidence": 1, "promote": 2000}


def test_the_workbook_has_the_summary_first_and_everybody_last() -> None:
    assert list(SHEETS) == [
        "Summary", "Moves", "Archetypes", "Movers", "At risk", "Near misses", "Guardrails", "Partners",
    ]  # fmt: skip
    assert [row[0] for row in SHEETS["Partners"].rows] == ["P1", "P2", "P3", "P4"]
    assert [row[0] for row in SHEETS["At risk"].rows] == ["P2"]


def test_a_partners_cells_are_its_row_and_unknown_figures_are_empty_cells() -> None:
    first, *_, bare = _records(SHEETS["Partners"])
    assert (first["Action"], first["won revenue (USD)"], first["Approval by"]) == ("▲ Promote", 1000.0, "vp-channel")
    assert (first["Tier before"], first["Tier recommended"], first["At risk"]) == ("growth", "strategic", "")
    assert (bare["won revenue (USD)"], bare["Potential"]) == (None, None)
    assert _records(SHEETS["At risk"])[0]["At risk"] == "yes"


def test_a_value_without_a_unit_has_no_empty_brackets() -> None:
    titles = [column.title for column in sheets_of(replace(PACK, unit=""))[-1].columns]
    assert "won revenue" in titles
    assert not any("(" in title for title in titles)


def test_the_summary_sheet_holds_tiers_actions_day_and_versions() -> None:
    names = [row[0] for row in SHEETS["Summary"].rows]
    assert names[:3] == ["strategic", "growth", "entry"]
    assert names[3:6] == ["▲ Promote", "▼ Demote", "■ Hold"]
    assert names[6:] == [
        "Review as of 2026-09-30", "data: f00d", "model: 3", "policy: standard@2026-07-01", "run: run-1",
    ]  # fmt: skip
    assert SHEETS["Summary"].rows[1][3:5] == (4, None)


def test_moves_archetypes_and_guardrails_are_the_packs() -> None:
    assert SHEETS["Moves"].rows == [("strategic", 0, 0), ("growth", 1, 2)]
    assert _records(SHEETS["Archetypes"])[0] | {"in growth": None, "in entry": 0.8} == _records(SHEETS["Archetypes"])[0]
    assert SHEETS["Guardrails"].rows == [("At most two steps down", 1200, "Partner 2 (P2), P4")]


def test_every_coloured_action_is_told_by_shape_and_word_too() -> None:
    assert set(ACTION_COLOURS) < set(ACTION_WORDS) == set(SHAPES)
    assert len(set(SHAPES.values())) == len(SHAPES)
    action = next(column for column in SHEETS["Partners"].columns if column.title == "Action")
    assert set(action.colours) == {f"{SHAPES[name]} {ACTION_WORDS[name]}" for name in ACTION_COLOURS}


def test_tiers_beyond_the_colours_take_the_last_one() -> None:
    tiers = tuple(f"t{i}" for i in range(len(TIER_COLOURS) + 2))
    colours = sheets_of(replace(PACK, tiers=tiers))[0].columns[0].colours
    assert [colours[tier] for tier in tiers] == [*TIER_COLOURS, TIER_COLOURS[-1], TIER_COLOURS[-1]]
