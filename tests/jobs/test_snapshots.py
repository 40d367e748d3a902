"""Training snapshots: which quarter ends, who is in them, and labels that tell exactly what came and was known."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jobs.tiny_workspace import AS_OF, METRICS, Rows, accepted, deal, write_workspace
from tierwise.jobs.snapshots import (
    archetype_features,
    build_snapshots,
    first_event_date,
    label_until,
    model_features,
    snapshot_days,
)

PARTNERS = [
    {"partner_id": "A", "joined_on": "2020-01-01"},
    {"partner_id": "B", "joined_on": "2025-11-15"},
    {"partner_id": "C", "joined_on": "2020-01-01", "left_on": "2025-10-01"},
]
EARLY = deal("A", "2021-02-03", 1)


def _snapshots(folder: Path, deals: Rows, as_of: date = AS_OF, **settings: object) -> pd.DataFrame:
    workspace = write_workspace(folder, {"partners": PARTNERS, "deals": deals}, **settings)
    with accepted(workspace) as engine:
        return build_snapshots(engine, workspace, as_of).set_index(["partner_id", "as_of"]).sort_index()


def _label(snapshots: pd.DataFrame, partner_id: str, day: str) -> float:
    return float(snapshots.loc[(partner_id, pd.Timestamp(day)), "label"])


def test_a_quarter_end_is_a_snapshot_from_the_day_its_horizon_closes(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, {})
    first = date(2021, 1, 1)
    assert snapshot_days(workspace, date(2026, 9, 30), first)[-1] == date(2025, 9, 30)
    assert snapshot_days(workspace, date(2026, 9, 29), first)[-1] == date(2025, 6, 30)
    assert snapshot_days(workspace, date(2026, 12, 30), first)[-1] == date(2025, 9, 30)


def test_no_more_quarter_ends_than_the_workspace_asks_for(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, {}, potential={"reviews": 3})
    assert snapshot_days(workspace, AS_OF, date(2015, 1, 1)) == (
        date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30),
    )  # fmt: skip


def test_a_quarter_end_before_the_first_event_teaches_nothing(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, {})
    assert snapshot_days(workspace, AS_OF, date(2025, 6, 29))[0] == date(2025, 6, 30)
    assert snapshot_days(workspace, AS_OF, date(2025, 6, 30))[0] > date(2025, 6, 30)
    assert snapshot_days(workspace, AS_OF, date(2026, 1, 1)) == ()


def test_quarter_ends_follow_the_fiscal_calendar(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, {}, calendar={"fiscal_year_starts": "february"}, potential={"reviews": 2})
    days = snapshot_days(workspace, date(2026, 10, 31), date(2020, 1, 1))
    assert days == (date(2025, 7, 31), date(2025, 10, 31))


@pytest.mark.parametrize(
    ("horizon", "until"),
    [("2 quarters", date(2026, 2, 28)), ("90 days", date(2025, 11, 29)), ("12 months", date(2026, 8, 31))],
)
def test_the_label_window_is_as_long_as_the_horizon(tmp_path: Path, horizon: str, until: date) -> None:
    metrics = METRICS | {"revenue_4q": METRICS["revenue_4q"] | {"window": horizon}}
    workspace = write_workspace(tmp_path, {}, metrics, potential={"horizon": horizon})
    assert label_until(workspace, date(2025, 8, 31)) == until


def test_the_first_event_is_the_earliest_of_all_event_tables(tmp_path: Path) -> None:
    certified = [{"partner_id": "A", "date": "2019-05-06", "person": "x"}]
    workspace = write_workspace(tmp_path, {"partners": PARTNERS, "deals": [EARLY], "certifications": certified})
    with accepted(workspace) as engine:
        assert first_event_date(engine, workspace) == date(2019, 5, 6)


def test_without_any_event_only_the_open_snapshot_is_made(tmp_path: Path) -> None:
    snapshots = _snapshots(tmp_path, [])
    assert set(snapshots.index.get_level_values("as_of")) == {pd.Timestamp(AS_OF)}
    assert snapshots["label"].isna().all()


def _random_deals(seed: int, count: int) -> list[dict[str, object]]:
    random = np.random.default_rng(seed)
    days = pd.Timestamp("2021-02-03") + pd.to_timedelta(random.integers(0, 2050, count), unit="D")
    late = pd.to_timedelta(np.where(random.random(count) < 0.4, random.integers(1, 500, count), 0), unit="D")
    statuses, partners = random.choice(["won", "lost", "open"], count), random.choice(["A", "C"], count)
    cents = random.integers(1, 10_000_000, count)
    return [
        deal(str(who), f"{day:%Y-%m-%d}", f"{cent / 100:.2f}", known_on=f"{known:%Y-%m-%d}", status=str(status))
        for who, day, known, status, cent in zip(partners, days, days + late, statuses, cents, strict=True)
        if known <= pd.Timestamp("2026-12-31")
    ]


def test_every_label_is_the_sum_of_won_deals_of_the_window_that_were_known_at_its_end(tmp_path: Path) -> None:
    deals = _random_deals(20261121, 400)
    frame = pd.DataFrame(deals).astype({"date": "datetime64[us]", "known_on": "datetime64[us]", "amount": "float64"})
    labelled = _snapshots(tmp_path, deals).dropna(subset=["label"]).reset_index()
    assert len(labelled) > 20
    assert labelled["label"].max() > 0
    for row in labelled.itertuples():
        own = frame[(frame["partner_id"] == row.partner_id) & (frame["status"] == "won")]
        until = row.as_of + pd.DateOffset(years=1) + pd.offsets.MonthEnd(0)
        inside = own[(own["date"] > row.as_of) & (own["date"] <= until) & (own["known_on"] <= until)]
        assert row.label == pytest.approx(inside["amount"].sum(), abs=1e-6), (row.partner_id, row.as_of)
        before = own[(own["date"] <= row.as_of) & (own["known_on"] <= row.as_of)]
        before = before[before["date"] > row.as_of - pd.DateOffset(years=1) + pd.offsets.MonthEnd(0)]
        assert row.persistence == pytest.approx(before["amount"].sum(), abs=1e-6), (row.partner_id, row.as_of)


def test_the_window_starts_after_the_date_and_ends_with_its_last_day(tmp_path: Path) -> None:
    deals = [EARLY, deal("A", "2025-06-30", 1000), deal("A", "2025-07-01", 20), deal("A", "2026-06-30", 3)]
    snapshots = _snapshots(tmp_path, [*deals, deal("A", "2026-07-01", 5000)])
    assert _label(snapshots, "A", "2025-06-30") == 23


def test_what_was_known_only_after_the_window_is_in_no_label(tmp_path: Path) -> None:
    late = deal("A", "2026-06-30", 70, known_on="2026-07-01")
    assert _label(_snapshots(tmp_path, [EARLY, late]), "A", "2025-06-30") == 0
    assert _label(_snapshots(tmp_path / "later", [EARLY, late]), "A", "2025-09-30") == 70


def test_events_after_the_as_of_date_change_no_snapshot(tmp_path: Path) -> None:
    deals = [EARLY, deal("A", "2025-07-08", 9), deal("C", "2026-09-30", 8)]
    later = [deal("A", "2026-10-01", 900), deal("C", "2026-02-02", 800, known_on="2026-10-05")]
    without, with_later = _snapshots(tmp_path, deals), _snapshots(tmp_path / "later", [*deals, *later])
    pd.testing.assert_frame_equal(without, with_later)


def test_who_was_not_seen_by_the_day_is_not_in_its_snapshot(tmp_path: Path) -> None:
    snapshots = _snapshots(tmp_path, [EARLY, deal("B", "2026-01-05", 400)])
    assert ("B", pd.Timestamp("2025-09-30")) not in snapshots.index
    assert ("B", pd.Timestamp(AS_OF)) in snapshots.index


def test_who_left_is_worth_nothing_rather_than_missing(tmp_path: Path) -> None:
    snapshots = _snapshots(tmp_path, [EARLY, deal("C", "2024-05-06", 700)])
    assert _label(snapshots, "C", "2025-09-30") == 0
    assert snapshots.loc["C", "label"].drop(pd.Timestamp(AS_OF)).notna().all()


def test_the_open_snapshot_has_everyone_seen_and_no_label(tmp_path: Path) -> None:
    snapshots = _snapshots(tmp_path, [EARLY, deal("A", "2026-07-08", 50)])
    current = snapshots.xs(pd.Timestamp(AS_OF), level="as_of")
    assert list(current.index) == ["A", "B", "C"]
    assert current["label"].isna().all()
    assert current.loc["A", "persistence"] == 50
    assert (current["label_until"] == pd.Timestamp("2027-09-30")).all()


def test_the_models_learn_from_features_and_archetypes_from_what_the_workspace_names(tmp_path: Path) -> None:
    metrics = METRICS | {"deals_4q": METRICS["deals_4q"] | {"feature": False}}
    every = write_workspace(tmp_path / "every", {}, metrics)
    assert model_features(every).names == ("revenue_4q", "certified")
    assert archetype_features(every) == model_features(every)
    chosen = write_workspace(tmp_path / "chosen", {}, metrics, archetypes={"metrics": ["certified"], "attributes": []})
    assert archetype_features(chosen).names == ("certified",)
    assert archetype_features(chosen).attributes == ()
    assert model_features(chosen).attributes == ("region",)
