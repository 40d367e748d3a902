"""Replay and preview on channels whose answer is known, and the pages that show them."""

import re
from datetime import date
from xml.etree import ElementTree

import pandas as pd
import pytest

from tierwise.config.calendar import review_days
from tierwise.config.policy import Policy
from tierwise.config.workspace import Calendar
from tierwise.engine import Engine
from tierwise.errors import InvalidInput
from tierwise.policy import Replay, Stakes, Today, as_history, compare_replays, move, place, preview, replay
from tierwise.reports.policy import PreviewReport, ReplayReport
from tierwise.reports.policy_page import preview_page, replay_page
from tierwise.reports.policy_pictures import movement_matrix_svg, shares_svg

HEAD = {"policy": "x", "owner": "o", "reason": "r"}
TIERS = [{"name": "low"}, {"name": "mid", "when": "revenue >= 100"}, {"name": "top", "when": "revenue >= 200"}]
DAYS = review_days(date(2025, 3, 31), date(2026, 6, 30), Calendar())
# Swings over the bound every review; rises once; never moves.
REVENUE = {"swing": [110, 90, 110, 90, 110, 90], "riser": [90, 90, 250, 250, 250, 250], "still": [10] * 6}


def policy(movement: object = "none", start: date = date(2025, 1, 1), tiers: object = None, **body: object) -> Policy:
    document = {**HEAD, "effective_from": start, "tiers": tiers or TIERS, "movement": movement, **body}
    return Policy.model_validate(document)


@pytest.fixture(scope="module")
def panel() -> dict[date, pd.DataFrame]:
    names = list(REVENUE)
    return {
        day: pd.DataFrame({"partner_id": names, "revenue": [float(REVENUE[name][at]) for name in names]})
        for at, day in enumerate(DAYS)
    }


def only_row(replayed: Replay) -> dict:
    (row,) = replayed.summary.to_dict(orient="records")
    return row


def test_moves_reversals_and_mis_tiering_are_counted(engine: Engine, panel: dict) -> None:
    row = only_row(replay(engine, policy(), panel))
    assert (row["partners"], row["reviews"]) == (3, 6)
    assert row["partner_years"] == pytest.approx(3 * 456 / 365.25)
    assert (row["promotions"], row["demotions"]) == (2 + 1, 3)
    assert row["reversals"] == 4, "each move of the swinging partner but its last is undone"
    assert (row["placements_judged"], row["mis_tiered"]) == (15, 5 + 1)
    assert row["tiers_off"] == pytest.approx((5 + 2) / 15)


def test_hysteresis_stills_the_swing(engine: Engine, panel: dict) -> None:
    default = only_row(replay(engine, policy({}), panel))
    assert (default["moves"], default["reversals"]) == (1, 0)


def test_mis_tiering_looks_as_far_ahead_as_asked(engine: Engine, panel: dict) -> None:
    assert only_row(replay(engine, policy(), panel, ahead=2))["mis_tiered"] == 2, "the riser only; the swing is back"


def test_shares_add_up_and_the_matrix_counts_every_review(engine: Engine, panel: dict) -> None:
    replayed = replay(engine, policy(), panel)
    assert replayed.shares.groupby("as_of")["share"].sum().tolist() == pytest.approx([1.0] * 6)
    assert replayed.matrix["partner_reviews"].sum() == 3 * 5
    low_to_top = replayed.matrix.set_index(["from_tier", "to_tier"])["partner_reviews"].loc["low", "top"]
    assert low_to_top == 1


def test_each_review_takes_the_policy_in_force(engine: Engine, panel: dict) -> None:
    easier = [TIERS[0], {"name": "mid", "when": "revenue >= 5"}]
    renamed = {"transition": {"renamed": {"top": "mid"}}, "hold": {"min_reviews_in_tier": 0}}
    series = [policy(), policy(renamed, start=date(2026, 1, 1), tiers=easier)]
    table = replay(engine, series, panel).recommendations
    still = table[table["partner_id"] == "still"].set_index("as_of")["tier"]
    assert still.loc["2025-12-31"] == "low"
    assert still.loc["2026-03-31"] == "mid"
    riser = table[table["partner_id"] == "riser"].set_index("as_of")
    assert riser.loc["2026-03-31", ["current_tier", "tier", "rule"]].tolist() == ["mid", "mid", "unchanged"]
    assert set(table["policy_version"]) == {"x@2025-01-01", "x@2026-01-01"}


def test_tier_that_the_policy_does_not_have_is_never_guessed(engine: Engine, panel: dict) -> None:
    series = [policy(), policy(start=date(2026, 1, 1), tiers=TIERS[:2])]
    with pytest.raises(InvalidInput, match="none of low, mid") as refused:
        replay(engine, series, panel)
    assert "movement.transition.renamed" in str(refused.value)
    assert refused.value.faults[0].examples == ("riser",)


def test_replay_from_the_log_gives_the_same_state(engine: Engine, panel: dict) -> None:
    """Any date replays: the rows before it are all the state there is."""
    log = replay(engine, policy({}), panel).recommendations
    for day in DAYS:
        again = move(policy({}), place(engine, policy({}), panel[day]), log.sample(frac=1, random_state=1), day)
        stored = log[log["as_of"] == pd.Timestamp(day)].reset_index(drop=True)
        columns = ["partner_id", "current_tier", "recommended_tier", "action", "rule", "notice_on"]
        pd.testing.assert_frame_equal(again[columns], stored[columns])


def test_contract_columns_alone_decide_the_same(engine: Engine, panel: dict) -> None:
    """A history that kept neither bands nor notices, as the tier history of a workspace, tells the same story."""
    rules = policy({"demote": {"band": 0.1, "confirm": 2, "grace": "90 days"}, "hold": {"min_reviews_in_tier": 1}})
    log = replay(engine, rules, panel).recommendations
    contract = log[["partner_id", "as_of", "tier", "eligible_tier", "action", "rule"]]
    for day in DAYS[1:]:
        placement = place(engine, rules, panel[day])
        full, plain = (move(rules, placement, history, day) for history in (log, contract))
        pd.testing.assert_frame_equal(full, plain)


@pytest.mark.parametrize("days", [0, 2])
def test_a_channel_without_partners_has_nothing_to_replay(engine: Engine, panel: dict, days: int) -> None:
    empty = {day: rows.iloc[:0] for day, rows in list(panel.items())[:days]}
    with pytest.raises(InvalidInput, match="no partner is known at any of the reviews"):
        replay(engine, policy(), empty)


def test_reviews_before_the_first_partner_are_passed_over(engine: Engine, panel: dict) -> None:
    late = {day: rows.iloc[:0] if number < 3 else rows for number, (day, rows) in enumerate(panel.items())}
    assert only_row(replay(engine, policy(), late))["reviews"] == 3


def test_comparison_has_one_row_per_policy(engine: Engine, panel: dict) -> None:
    table = compare_replays({"none": replay(engine, policy(), panel), "default": replay(engine, policy({}), panel)})
    assert table["policy"].tolist() == ["none", "default"]
    assert table["moves"].tolist() == [6, 1]


@pytest.fixture(scope="module")
def previewed(engine: Engine) -> PreviewReport:
    inputs = pd.DataFrame(
        {"partner_id": list("abcd"), "revenue": [150.0, 120, 250, 10], "region": ["N", "N", "S", None]}
    )
    current, new = (
        policy(),
        policy(start=date(2026, 10, 1), tiers=[TIERS[0], {"name": "mid", "when": "revenue >= 130"}, TIERS[2]]),
    )
    history = as_history(
        move(
            current,
            place(engine, current, inputs),
            pd.DataFrame({name: [] for name in ("partner_id", "as_of", "tier", "eligible_tier", "action", "rule")}),
            date(2026, 3, 31),
        ),
        date(2026, 3, 31),
    )
    stakes = Stakes("revenue", {"low": 10.0, "mid": 50.0, "top": 90.0}, ["region"])
    seen = preview(engine, new, current, Today(date(2026, 6, 30), inputs, history), stakes)
    return PreviewReport("test", date(2026, 6, 30), new, current, seen, "USD")  # fmt: skip


def test_preview_says_who_moves_and_what_is_at_stake(previewed: PreviewReport) -> None:
    partners = previewed.preview.partners.set_index("partner_id")
    assert partners["change"].to_dict() == {"a": "same", "b": "down", "c": "same", "d": "same"}
    moved = previewed.preview.changes[previewed.preview.changes["change"] == "down"]
    assert moved[["tier_in_force", "tier_new", "partners", "revenue", "cost_change"]].values.tolist() == [
        ["mid", "low", 1, 120.0, -40.0]
    ]


def test_preview_is_cut_by_region_and_adds_up(previewed: PreviewReport) -> None:
    cuts = previewed.preview.cuts
    for _, of_cut in cuts.groupby("cut"):
        assert of_cut["partners"].sum() == 4
        assert of_cut["revenue"].sum() == 530
    assert set(cuts.loc[cuts["cut"] == "region", "value"]) == {"N", "S", "unknown"}


def test_preview_page_shows_the_matrix(previewed: PreviewReport) -> None:
    page = preview_page(previewed)
    assert "from mid" in page
    assert "Who would be elsewhere" in page
    assert "1" in previewed.as_text()
    assert previewed.as_payload()["changes"]


def test_replay_page_shows_shares_and_moves(engine: Engine, panel: dict) -> None:
    replays = {"<b>none</b>": replay(engine, policy(), panel), "default": replay(engine, policy({}), panel)}
    report = ReplayReport("test", DAYS, replays, with_models=True, in_hindsight=DAYS[:2])
    page = replay_page(report)
    assert page.count("<svg") == 4
    assert "<b>none" not in page
    assert "In 2 of 6 reviews no version was in force yet" in page
    assert "more than was known then" in page
    assert "moves per partner-year" in report.as_text()
    for picture in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert ElementTree.fromstring(picture).get("role") == "img"


def test_pictures_take_odd_names_and_empty_data() -> None:
    names = ['a "quoted" <tier>', "b & c"]
    matrix = pd.DataFrame({"from_tier": names, "to_tier": names[::-1], "count": [3, 4]})
    shares = pd.DataFrame({"as_of": pd.to_datetime(["2026-06-30"] * 2), "tier": names, "share": [0.25, 0.75]})
    drawn = (
        movement_matrix_svg(matrix, names, 'title "with" <marks>'),
        movement_matrix_svg(matrix.iloc[:0], names, "nothing"),
        shares_svg(shares, names, "shares"),
    )
    assert [ElementTree.fromstring(picture).get("role") for picture in drawn] == ["img"] * 3
