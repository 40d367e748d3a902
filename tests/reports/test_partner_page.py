"""The one-pager: offline, escaped, small, and every point and family accounted for."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from tests.pages.full_page import PAGES
from tests.pages.written_review import HOSTILE
from tests.reports.partner_example import LADDERS, PAGE
from tierwise.reports.partner import Comparison, Family, PartnerPage, Score, ScorePart
from tierwise.reports.partner_fit import density
from tierwise.reports.partner_page import MOST_CRITERIA, MOST_FAMILIES, MOST_PARTS, _one_pager, as_html

MOST_BYTES = 150_000


def _plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\xa0", " ")


@pytest.mark.parametrize("fullness", PAGES)
def test_a_page_needs_no_script_and_no_network_and_is_small(fullness: str) -> None:
    html = as_html(PAGES[fullness])
    assert len(html.encode()) < MOST_BYTES
    assert not re.search(r"<script|javascript:|\bon\w+=|<link|<img|<iframe|url\(|@import|https?:", html)
    assert "default-src 'none'" in html


def test_tracks_and_units_are_shown_beside_the_tier() -> None:
    said = _plain(as_html(replace(PAGE, ladders=LADDERS)))
    assert "Cloud skills none → skilled ▲ Promote none above by skills-board, from 2026-09-30" in said
    assert "Reach &lt;b&gt; broad ■ Hold very broad –" in said
    assert "Germany ★ gives the partner its tier growth strategic Won revenue: USD 62 k, asked ≥ USD 420 k" in said
    assert "By country" in said
    assert "Tracks" not in _plain(as_html(PAGE))


def test_more_tracks_than_fit_are_counted() -> None:
    many = replace(LADDERS, tracks=LADDERS.tracks * 5, units=LADDERS.units * 4)
    said = _plain(as_html(replace(PAGE, ladders=many)))
    assert "6 more tracks in the review's tables." in said
    assert "4 more units in the review's tables." in said


def test_how_the_policy_writes_a_condition_is_folded_away() -> None:
    worded = replace(PAGE.criteria[0], title="Status is not left", written="status <> 'left'")
    html = as_html(replace(PAGE, criteria=(worded,)))
    assert "status &lt;&gt;" in html.split("<details")[1].split("</details>")[0]
    assert "status &lt;&gt;" not in html.split("<details")[0]
    assert "<details" not in as_html(PAGE)


@pytest.mark.parametrize(("share", "words"), [(1.0, "by every model"), (0.96, "by 96\xa0% of the models")])
def test_how_sure_a_plan_is_is_said_without_a_hundred_per_cent(share: float, words: str) -> None:
    html = as_html(replace(PAGE, plans=(replace(PAGE.plans[0], robustness=share),)))
    assert f"{words} trained again on other draws of partners" in html


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_text_wherever_it_stands(name: str) -> None:
    page = replace(
        PAGE,
        name=name,
        profile=(("Region", name),),
        next_step=name,
        reasons=tuple(replace(reason, sentence=name) for reason in PAGE.reasons),
        criteria=tuple(replace(one, title=name, shown_value=name) for one in PAGE.criteria),
        recommendation=PAGE.recommendation | {"partner_id": name, "approval_role": name},
        notes=(name,),
    )
    html = as_html(page)
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("</style>") == html.count("</title>") == html.count("<h1>") == 1


def test_everything_that_decides_is_on_the_page() -> None:
    said = _plain(as_html(PAGE))
    for text in (
        "Linden Inc", "Hold", PAGE.why, "Nothing to decide.", "partner-ops", "USD 62 k", "≥ USD 420 k", "−USD 358 k",
        "20.5 of 40", "61.0", "USD 300 k to USD 600 k", "× 1.82", "peers in strategic", "+USD 30 k", "Oak Ltd (P2)",
        "Named partner manager", "standard@2026-07-01", "f00d", "never what causes it", "4 people → 6 people",
    ):  # fmt: skip
        assert text in said, text


def test_what_both_tiers_ask_stands_on_one_line() -> None:
    rows = {row.title: row for row in _one_pager(PAGE).criteria}
    assert set(rows) == {"Won revenue", "People certified", "In the program"}
    revenue = rows["Won revenue"]
    assert revenue.keep is not None
    assert revenue.reach is not None
    assert (revenue.keep.tier, revenue.reach.tier) == ("growth", "strategic")
    assert "growth asks ≥ USD 50 k; strategic asks ≥ USD 420 k" in revenue.chart
    assert rows["In the program"].chart == ""


def test_what_is_missed_comes_first_and_what_does_not_fit_is_counted() -> None:
    sheet = _one_pager(PAGES["all of it"])
    assert len(sheet.criteria) == MOST_CRITERIA
    missed = [row.keep is not None and row.keep.met != "true" for row in sheet.criteria]
    assert missed == sorted(missed, reverse=True)
    assert sheet.left_out == 3
    assert "3 more criteria" in as_html(PAGES["all of it"])


@pytest.mark.parametrize("parts", [1, MOST_PARTS, MOST_PARTS + 1, 40])
def test_the_points_of_a_score_are_all_accounted_for(parts: int) -> None:
    each = tuple(ScorePart(f"Part {n}", "", n / 2, 20.0) for n in range(parts))
    page = replace(PAGE, scores=(Score("value", "Partner value", sum(part.points or 0 for part in each), each),))
    (bars,) = _one_pager(page).scores
    assert len(bars.rows) <= MOST_PARTS
    assert sum(float(bar.shown.split()[0]) for bar in bars.rows) == pytest.approx(float(bars.total))


@pytest.mark.parametrize("families", [0, MOST_FAMILIES, MOST_FAMILIES + 1, 30])
def test_the_factors_of_all_families_multiply_to_the_whole(families: int) -> None:
    effects = [0.3 * (-1) ** n for n in range(families)]
    each = tuple(Family(f"f{n}", one, math.exp(one), f"× {math.exp(one):.2f}") for n, one in enumerate(effects))
    page = replace(PAGE, comparisons=(Comparison("channel", "the whole channel", each, sum(effects)),))
    (bars,) = _one_pager(page).families
    assert len(bars.rows) <= MOST_FAMILIES
    shown = math.prod(float(bar.shown.removeprefix("× ")) for bar in bars.rows)
    assert shown == pytest.approx(float(bars.total.removeprefix("× ")), rel=0.03)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plans": (), "no_plan": "nothing realistic within 8 quarters."}, "Nothing realistic within 8 quarters."),
        ({"changes": (), "moved": ()}, "There is no earlier review to compare with."),
        ({"scores": ()}, "the criteria alone decide"),
        ({"comparisons": ()}, "No model is behind this potential."),
        ({"recommendation": {"partner_id": "P1", "action": "hold"}}, "There is no tier above."),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(change: dict[str, object], said: str) -> None:
    assert said in _plain(as_html(replace(PAGE, **change)))


def test_a_page_without_peers_has_no_heading_for_them() -> None:
    assert "Similar partners" not in as_html(replace(PAGE, peers=()))


def test_a_page_of_a_pack_leads_back() -> None:
    assert 'href="../index.html"' in as_html(PAGE, back="../index.html")
    assert "Back to the review pack" not in as_html(PAGE)


def test_the_same_page_is_the_same_bytes() -> None:
    assert as_html(PAGES["all of it"]) == as_html(PAGES["all of it"])


def test_print_gets_smaller_the_more_there_is() -> None:
    sizes = [density(lines) for lines in range(0, 140, 5)]
    assert list(dict.fromkeys(sizes)) == ["roomy", "snug", "tight", "least"]


@pytest.mark.parametrize("fullness", PAGES)
def test_every_chart_has_a_text_alternative(fullness: str) -> None:
    page: PartnerPage = PAGES[fullness]
    charts = re.findall(r"<svg[^>]*>", as_html(page))
    assert all('role="img" aria-label="' in chart for chart in charts)
    assert (len(charts) > 0) == (page.potential.value is not None)
