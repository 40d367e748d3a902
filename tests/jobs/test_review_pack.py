"""The review pack counts what the stored rows say, links what it has, runs nothing, and is the same bytes twice."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from tests.jobs.tiny_workspace import AS_OF
from tests.pages.written_review import HOSTILE, VERSIONS, complete, pages_workspace, review_tables, write_pages_review
from tierwise.config.load import Workspace
from tierwise.jobs.explain import open_review
from tierwise.jobs.pack_summary import matrix_tiers
from tierwise.jobs.review_pack import NEAR, PackRequest, near_misses, summarise_pack, write_pack
from tierwise.reports import pack_page
from tierwise.reports.digest import as_markdown, plain
from tierwise.reports.pack import NO_TIER, Pack
from tierwise.reports.workbook import sheets_of
from tierwise.store import Review, lock_output, write_review
from tierwise.tables.output_schemas import sort_rows

PARTNERS = 48


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = pages_workspace(tmp_path_factory.mktemp("pack"))
    write_pages_review(made, PARTNERS)
    return made


@pytest.fixture(scope="module")
def pack(workspace: Workspace) -> Pack:
    return summarise_pack(open_review(workspace))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    tables = review_tables(PARTNERS)
    return tables["recommendations"].merge(tables["metrics"][["partner_id", "revenue_4q", "region"]], on="partner_id")


def test_the_composition_is_what_the_rows_say(pack: Pack, rows: pd.DataFrame) -> None:
    now, before = Counter(rows["recommended_tier"]), Counter(rows["current_tier"].dropna())
    total = rows["revenue_4q"].sum()
    assert [line.tier for line in pack.composition] == ["strategic", "growth", "entry"]
    for line in pack.composition:
        own = rows[rows["recommended_tier"] == line.tier]
        assert (line.partners, line.before) == (now[line.tier], before[line.tier])
        assert line.value_share == pytest.approx(own["revenue_4q"].sum() / total)
    assert sum(line.share for line in pack.composition) == pytest.approx(1)


def test_the_matrix_counts_every_partner_with_a_tier_before(pack: Pack, rows: pd.DataFrame) -> None:
    held = rows[rows["current_tier"].notna()]
    tiers = [line.before for line in pack.matrix]
    counts = {(line.before, to): cell[0] for line in pack.matrix for to, cell in zip(tiers, line.cells, strict=True)}
    assert {pair: n for pair, n in counts.items() if n} == dict(
        Counter(zip(held["current_tier"], held["recommended_tier"], strict=True))
    )
    for place, line in enumerate(pack.matrix):
        assert [direction for _, direction in line.cells] == [(to > place) - (to < place) for to in range(len(tiers))]


def test_archetypes_add_up_and_the_most_valuable_come_first(pack: Pack, rows: pd.DataFrame) -> None:
    shares = [line.value_share or 0.0 for line in pack.archetypes]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    for line in pack.archetypes:
        assert sum(part or 0.0 for part in line.by_tier) == pytest.approx(line.value_share)
        assert line.partners == (rows["archetype"] == line.archetype).sum()


def test_lists_hold_whom_they_say(pack: Pack, rows: pd.DataFrame) -> None:
    moving = set(rows.loc[rows["action"].isin(["promote", "demote"]), "partner_id"])
    assert {row.partner_id for row in pack.movers} == moving
    falling = rows["action"].isin(["demote", "watch"])
    assert {row.partner_id for row in pack.at_risk} == set(rows.loc[falling, "partner_id"])
    values = [row.value or 0.0 for row in pack.at_risk]
    assert values == sorted(values, reverse=True)
    assert pack.waiting == rows["approval_role"].notna().sum()
    (hit,) = pack.guardrails
    assert (hit.title, hit.partners) == ("Too little evidence to change the tier", 8)


def _near(criteria: list[tuple[str, float, float]], reason_code: str = "eligible_for_current_tier") -> list[float]:
    """How near a partner in growth is to strategic, by its unmet criteria: metric, threshold, value."""
    columns = ["metric", "threshold", "value"]
    frame = pd.DataFrame(criteria, columns=columns).assign(
        partner_id="P1", tier="strategic", operator=">=", met="false", route=None, cheapest=False, expression="x"
    )
    frame = frame.assign(criterion=frame["metric"], gap=frame["threshold"] - frame["value"])
    moves = pd.DataFrame(
        [("P1", "growth", "growth", "growth", "strategic", "hold", reason_code)],
        columns=[
            "partner_id",
            "current_tier",
            "eligible_tier",
            "recommended_tier",
            "next_tier",
            "action",
            "reason_code",
        ],
    )
    codes = ["missing_for_next_tier", "inside_promotion_band"]
    reasons = pd.DataFrame({"partner_id": "P1", "rank": [1, 2], "code": codes, "sentence": ["Missing: x.", "Inside."]})
    found = near_misses(moves, frame, reasons, ("entry", "growth", "strategic"))
    assert found["missing"].notna().all()
    return found["nearness"].tolist()


@pytest.mark.parametrize(
    ("criteria", "nearness"),
    [
        ([("a", 10.0, 9.0)], [0.1]), ([("a", 10.0, 7.5)], [NEAR]), ([("a", 10.0, 7.0)], []), ([("a", 0.0, -1.0)], []),
        ([("a", 10.0, 9.0), ("b", 10.0, 9.9)], []),
    ],
)  # fmt: skip
def test_a_near_miss_lacks_one_item_and_little_of_it(
    criteria: list[tuple[str, float, float]], nearness: list[float]
) -> None:
    assert _near(criteria) == pytest.approx(nearness)


def test_who_is_over_every_line_but_inside_the_margin_is_nearest() -> None:
    assert _near([("a", 10.0, 9.0)], "inside_promotion_band") == [0.0]


class _Links(HTMLParser):
    """Collects links, ids and what could run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.runs: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "a":
            self.links.append(known["href"] or "")
        if "id" in known:
            self.ids.append(known["id"] or "")
        self.runs += [name for name in known if name.startswith("on") or name == "style"]
        self.runs += [tag] if tag in ("iframe", "img", "object", "embed", "link", "base", "form") else []


@pytest.fixture(scope="module")
def written(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "pack"
    write_pack(PackRequest(open_review(workspace), folder, pages=30))
    return folder


def test_every_link_leads_somewhere_and_nothing_else_runs(written: Path) -> None:
    for page in written.rglob("*.html"):
        read = _Links(page.read_text("utf-8"))
        assert read.runs == []
        assert len(read.ids) == len(set(read.ids))
        for link in read.links:
            place, _, mark = link.partition("#")
            assert not place or (page.parent / place).is_file(), link
            assert not mark or place or mark in read.ids, link


def test_who_moves_or_is_at_risk_has_a_one_pager_first(written: Path, pack: Pack) -> None:
    pages = {path.stem for path in (written / "partners").iterdir()}
    assert len(pages) == 30
    assert {row.partner_id for row in (*pack.movers, *pack.at_risk)} <= pages


def test_the_index_allows_its_own_script_and_style_alone(written: Path) -> None:
    index = (written / "index.html").read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', index)
    assert policy
    assert "unsafe" not in policy[1]
    assert index.count("<script") == 1
    assert policy[1].count("sha256-") == 2


def test_the_same_review_gives_the_same_bytes(workspace: Workspace, written: Path, tmp_path: Path) -> None:
    write_pack(PackRequest(open_review(workspace), tmp_path / "pack", pages=30))
    files = sorted(path.relative_to(written) for path in written.rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(tmp_path / "pack") for p in (tmp_path / "pack").rglob("*") if p.is_file())
    assert [name for name in files if (written / name).read_bytes() != (tmp_path / "pack" / name).read_bytes()] == []
    assert len(json.loads((written / "_PAGES.json").read_text())["files"]) == len(files) - 1


def test_the_workbook_holds_the_same_rows_and_no_formula(written: Path, pack: Pack) -> None:
    book = openpyxl.load_workbook(written / "review.xlsx")
    assert book.sheetnames == [
        "Summary",
        "Moves",
        "Archetypes",
        "Movers",
        "At risk",
        "Near misses",
        "Guardrails",
        "Partners",
    ]
    sheet = book["Partners"]
    assert sheet.max_row == PARTNERS + 1
    for row, partner in zip(sheet.iter_rows(min_row=2), pack.partners, strict=True):
        assert row[0].value == partner.partner_id
        assert str(row[1].value).removeprefix("'").split("\n")[0] == partner.name.split("\n")[0]
        assert all(cell.data_type != "f" for cell in row)
    assert [row[0].value for row in book["Movers"].iter_rows(min_row=2)] == [row.partner_id for row in pack.movers]


def test_the_digest_names_the_moves_and_holds_no_markup_of_others(pack: Pack) -> None:
    text = as_markdown(pack)
    assert text.startswith("# Partner review as of 2026-09-30: Tiny")
    assert f"## Who moves ({len(pack.movers)})" in text
    assert "](" not in text.replace("\\]\\(", "")
    assert "<script" not in text
    assert "@SUM" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_markdown_stays_on_its_line(name: str) -> None:
    said = plain(name)
    assert "\n" not in said
    assert not re.search(r"(?<!\\)[\[\]`*]|[<>]", said)


def test_every_sheet_has_as_many_cells_as_columns(pack: Pack) -> None:
    for sheet in sheets_of(pack):
        assert all(len(row) == len(sheet.columns) for row in sheet.rows), sheet.name


def test_many_partners_are_listed_on_pages_that_together_hold_everybody(
    pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_page, "MOST_ON_INDEX", 10)
    monkeypatch.setattr(pack_page, "PER_LIST", 20)
    pages = pack_page.as_pages(pack)
    assert list(pages) == ["index.html", "list-001.html", "list-002.html", "list-003.html"]
    listed = [one for name in list(pages)[1:] for one in re.findall(r'class="id"><bdi>(P\d+)', pages[name])]
    assert listed == [row.partner_id for row in pack.partners]
    assert [one for name in list(pages)[1:] for one in re.findall(r'<tr id="p(\d+)"', pages[name])] == [
        str(n) for n in range(PARTNERS)
    ]
    assert pages["index.html"].count("\tP0000") + pages["index.html"].count("\nP0000") >= PARTNERS - 1


def test_a_finder_that_would_be_too_long_holds_ids_alone_or_nothing(
    pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_page, "MOST_ON_INDEX", 10)
    lists = pack_page.list_pages(pack.partners)
    full = pack_page.finder_text(lists, pack.tiers)
    monkeypatch.setattr(pack_page, "MOST_FINDER_BYTES", len(full.encode()) - 1)
    shorter = pack_page.finder_text(lists, pack.tiers)
    assert [line.split("\t")[0] for line in shorter.splitlines()] == [row.partner_id for row in pack.partners]
    assert "Partner 40" not in shorter
    monkeypatch.setattr(pack_page, "MOST_FINDER_BYTES", 10)
    assert pack_page.finder_text(lists, pack.tiers) == ""


def _written_without_history(folder: Path) -> Workspace:
    """A review of an earlier version: no metrics, no tier history, and somebody who left."""
    workspace, tables = pages_workspace(folder), review_tables(6)
    tables = {name: tables[name] for name in ("recommendations", "reasons", "criteria")}
    rows = tables["recommendations"].assign(current_tier=None)
    rows.loc[0, ["recommended_tier", "action"]] = [None, "demote"]
    tables["recommendations"] = sort_rows("recommendations", complete("recommendations", rows))
    with lock_output(workspace.output_folder, "old") as lock:
        write_review(lock, Review(AS_OF, "old", tables, VERSIONS, score_columns=("value",)))
    return workspace


def test_an_older_review_without_value_or_history_still_packs(tmp_path: Path) -> None:
    source = open_review(_written_without_history(tmp_path), date(2026, 9, 30))
    pack = summarise_pack(source)
    assert (pack.matrix, pack.knows_value) == ((), False)
    assert pack.tiers == ("strategic", "growth", "entry", NO_TIER)
    assert matrix_tiers(pd.DataFrame({"recommended_tier": ["a"], "current_tier": ["old"]}), ("a", "b")) == [
        "old",
        "a",
        "b",
    ]
    written = write_pack(PackRequest(source, tmp_path / "pack"))
    assert (written.partners, written.pages) == (6, 6)
    assert "No tier was held before this review." in (tmp_path / "pack" / "index.html").read_text("utf-8")
