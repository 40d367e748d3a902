"""Scoring: every known partner once, the same bytes twice, blind to the future, whole after a kill."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.channel import AS_OF, BEFORE, PARTNERS, TODAY
from tests.explained_checks import EXPLAINED, check_additivity, check_margins, check_points, check_reasons
from tierwise.config.load import load_workspace
from tierwise.engine import EmbeddedEngine
from tierwise.errors import InvalidInput, Refused
from tierwise.jobs.score import ScoreRequest, score
from tierwise.store import list_reviews, read_table, verify_review
from tierwise.tables.output_schemas import OUTPUT_TABLES

DATED = {
    "deals": "decided_on", "opportunities": "created_on", "certifications": "issued_on", "mdf_claims": "decided_on",
    "portal_logins": "month_end", "support_cases": "closed_on",
}  # fmt: skip
KILLS = 10


def _read(folder: Path, name: str, day: date = AS_OF) -> pd.DataFrame:
    return read_table(folder / "output", day, name)


def test_every_table_is_written_and_verifies(scored_channel: Path) -> None:
    assert set(verify_review(scored_channel / "output", AS_OF).rows) == set(OUTPUT_TABLES)


def test_every_partner_known_on_the_day_has_one_recommendation_and_reasons(scored_channel: Path) -> None:
    partners = pd.read_csv(scored_channel / "data" / "partners.csv")
    known = partners.loc[partners["joined_on"] <= BEFORE.isoformat(), "partner_id"]
    assert 0 < len(known) < PARTNERS
    assert _read(scored_channel, "recommendations", BEFORE)["partner_id"].tolist() == sorted(known)
    reasons = _read(scored_channel, "reasons", BEFORE)
    assert set(reasons["partner_id"]) == set(known)
    assert reasons["rank"].between(1, 4).all()


def test_recommendations_say_why_a_partner_is_in_its_archetype_and_which_is_nearest(scored_channel: Path) -> None:
    rows = _read(scored_channel, "recommendations")
    placed = rows[rows["archetype_id"].notna()]
    assert placed["archetype_strength"].between(0, 1).all()
    assert (placed["nearest_other"] != placed["archetype_id"]).all()
    assert placed["archetype_reason"].dropna().str.contains("typical here|region|type").all()


def test_the_second_review_starts_from_what_the_first_recommended(scored_channel: Path) -> None:
    first, second = (_read(scored_channel, "recommendations", day).set_index("partner_id") for day in (BEFORE, AS_OF))
    recorded = pd.read_csv(scored_channel / "data" / "tier_history.csv")
    decided = recorded.loc[recorded["valid_from"] == BEFORE.isoformat()].set_index("partner_id")["tier"]
    carried = first["recommended_tier"].mask(first.index.isin(decided.index), decided.reindex(first.index))
    assert second.loc[first.index, "current_tier"].tolist() == carried.tolist()
    newcomers = second.index.difference(first.index)
    assert second.loc[newcomers, "action"].isin(["place", "insufficient_evidence"]).all()


@pytest.mark.parametrize("explain", ["all", "movers"])
def test_a_review_in_blocks_of_partners_is_the_same_review(
    scored_channel: Path, copy_of: Callable[[Path], Path], explain: str
) -> None:
    whole, cut = copy_of(scored_channel), copy_of(scored_channel)
    with (cut / "tierwise.yaml").open("a", encoding="utf-8") as settings:
        settings.write("\nengine: {partners_at_once: 37}\n")
    one, other = (score(load_workspace(at), ScoreRequest(AS_OF, TODAY, explain=explain)) for at in (whole, cut))
    assert (one.run_id, one.moves, one.row_counts) == (other.run_id, other.moves, other.row_counts)
    assert len(verify_review(cut / "output", AS_OF).files_of("criteria")) == -(
        -len(_read(cut, "recommendations")) // 37
    )
    for name in OUTPUT_TABLES:
        pd.testing.assert_frame_equal(_read(whole, name), _read(cut, name))


def test_large_sources_are_kept_on_disk_and_change_nothing(
    scored_channel: Path, copy_of: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = copy_of(scored_channel), copy_of(scored_channel)
    kept: list[bool] = []
    keep_on_disk = EmbeddedEngine.keep_on_disk
    monkeypatch.setattr(EmbeddedEngine, "keep_on_disk", lambda engine: kept.append(True) or keep_on_disk(engine))
    score(load_workspace(one), ScoreRequest(AS_OF, TODAY))
    assert not kept
    monkeypatch.setattr("tierwise.jobs.accept.TIMES_IN_MEMORY", 1e9)
    score(load_workspace(other), ScoreRequest(AS_OF, TODAY))
    assert kept
    for name in OUTPUT_TABLES:
        pd.testing.assert_frame_equal(_read(one, name), _read(other, name))


def test_every_placement_is_explained_exactly(scored_channel: Path) -> None:
    names = ("recommendations", "reasons", *EXPLAINED)
    for day in (BEFORE, AS_OF):
        tables = {name: _read(scored_channel, name, day) for name in names}
        assert set(tables["baselines"]["baseline"]) == {"channel", "peers"}
        check_additivity(tables)
        check_points(tables, sorted(set(tables["components"]["score"])))
        check_margins(tables)
        check_reasons(tables, [*tables["recommendations"]["partner_id"], *tables["recommendations"]["partner_name"]])


def test_who_has_no_peers_is_told_why(scored_channel: Path) -> None:
    baselines = _read(scored_channel, "baselines").query("baseline == 'peers'").set_index("partner_id")
    stored = _read(scored_channel, "recommendations").set_index("partner_id")
    assert (baselines["peers"] > 0).equals(baselines["reason_code"] == "peers_found")
    at_the_top = stored["next_tier"].isna()
    assert set(baselines.loc[at_the_top[at_the_top].index, "reason_code"]) == {"no_next_tier"}


def test_contributions_that_do_not_add_up_stop_the_run_before_it_writes(
    trained_channel: Path, copy_of: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tierwise.jobs import engines

    exact = engines.split_trees

    def off(text: str, matrix: np.ndarray, background: np.ndarray | None) -> tuple[float, np.ndarray]:
        base, parts = exact(text, matrix, background)
        return base, parts + 1e-7 * (np.arange(len(parts)) == 1)[:, None]

    monkeypatch.setattr(engines, "split_trees", off)
    folder = copy_of(trained_channel)
    with pytest.raises(Refused, match="miss their potential by up to"):
        score(load_workspace(folder), ScoreRequest(BEFORE, TODAY))
    assert not list_reviews(folder / "output")


def test_every_way_up_raises_figures_and_names_the_next_tier(scored_channel: Path) -> None:
    steps = _read(scored_channel, "roadmap").merge(_read(scored_channel, "recommendations"), on="partner_id")
    assert len(steps)
    assert steps["valid"].all()
    assert (steps["to"] > steps["from"].fillna(0)).all()
    assert (steps["reaches_tier"] == steps["next_tier"]).all()


def _bytes(folder: Path, day: date = AS_OF) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "output" / day.isoformat()).iterdir())}


def test_the_same_review_twice_gives_the_same_bytes(scored_channel: Path, copy_of: Callable[[Path], Path]) -> None:
    before, folder = _bytes(scored_channel), copy_of(scored_channel)
    score(load_workspace(folder), ScoreRequest(AS_OF, TODAY))
    assert _bytes(folder) == before


def _change_future(folder: Path, change: Callable[[pd.DataFrame, pd.Series], pd.DataFrame]) -> int:
    """Change the rows after the as-of date of every event table; returns how many rows there were."""
    changed = 0
    for path in sorted((folder / "data").iterdir()):
        column = DATED.get(path.stem)
        if column is None:
            continue
        frame = pd.read_csv(path, dtype=str) if path.suffix == ".csv" else pd.read_parquet(path)
        late = frame[column].astype(str).str[:10] > BEFORE.isoformat()
        changed += int(late.sum())
        result = change(frame, late)
        result.to_csv(path, index=False) if path.suffix == ".csv" else result.to_parquet(path, index=False)
    return changed


def _delete(frame: pd.DataFrame, late: pd.Series) -> pd.DataFrame:
    return frame[~late]


def _shuffle(frame: pd.DataFrame, late: pd.Series) -> pd.DataFrame:
    return pd.concat([frame[late].sample(frac=1, random_state=3), frame[~late].sample(frac=1, random_state=4)])


@pytest.mark.parametrize("change", [_delete, _shuffle])
def test_events_after_the_as_of_date_change_no_byte_of_the_recommendations(
    scored_channel: Path,
    copy_of: Callable[[Path], Path],
    change: Callable[[pd.DataFrame, pd.Series], pd.DataFrame],
) -> None:
    before, folder = _bytes(scored_channel, BEFORE), copy_of(scored_channel)
    assert _change_future(folder, change) > 1000
    shutil.rmtree(folder / "output")
    score(load_workspace(folder), ScoreRequest(BEFORE, TODAY))
    after = _bytes(folder, BEFORE)
    for name in ("recommendations", "criteria", "components", "contributions", "reasons", "roadmap"):
        assert after[f"{name}.parquet"] == before[f"{name}.parquet"], name


def test_a_dry_run_writes_nothing(trained_channel: Path) -> None:
    review = score(load_workspace(trained_channel), ScoreRequest(AS_OF, TODAY, dry_run=True))
    assert review.output is None
    assert review.row_counts["recommendations"] == PARTNERS
    assert not (trained_channel / "output").exists()


def test_without_a_model_in_force_scoring_is_refused(trained_channel: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(trained_channel)
    shutil.rmtree(folder / ".tierwise")
    with pytest.raises(Refused, match="tierwise train"):
        score(load_workspace(folder), ScoreRequest(AS_OF, TODAY))


def test_a_day_before_anybody_joined_is_refused(trained_channel: Path) -> None:
    with pytest.raises(InvalidInput):
        score(load_workspace(trained_channel), ScoreRequest(date(2001, 1, 1), TODAY))


def test_data_over_the_tolerance_stops_the_run_before_it_writes(
    scored_channel: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder = copy_of(scored_channel)
    before = _bytes(folder)
    deals = pd.read_csv(folder / "data" / "deals.csv", dtype=str)
    deals.loc[deals.index[: len(deals) // 20], "partner_id"] = "nobody"
    deals.to_csv(folder / "data" / "deals.csv", index=False)
    with pytest.raises(Refused, match="unknown_partner"):
        score(load_workspace(folder), ScoreRequest(AS_OF, TODAY))
    assert _bytes(folder) == before


def _score(folder: Path) -> None:
    score(load_workspace(folder), ScoreRequest(AS_OF, TODAY))


def test_a_run_killed_at_any_moment_leaves_the_earlier_output_and_the_next_one_finishes(
    scored_channel: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder, moments = copy_of(scored_channel), random.Random(20261121)
    expected = _bytes(folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tierwise.jobs.score", "mlflow", "sklearn.cluster"])
    started = time.monotonic()
    _run(context, folder).join()
    seconds = time.monotonic() - started
    for _ in range(KILLS):
        run = _run(context, folder)
        time.sleep(moments.uniform(0, seconds))
        run.kill()
        run.join()
        assert [review.as_of for review in list_reviews(folder / "output")] == [BEFORE, AS_OF]
        verify_review(folder / "output", AS_OF)
    last = _run(context, folder)
    last.join()
    assert last.exitcode == 0
    assert _bytes(folder) == expected


def _run(context: multiprocessing.context.ForkServerContext, folder: Path) -> multiprocessing.process.BaseProcess:
    run = context.Process(target=_score, args=(folder,))
    run.start()
    return run


@pytest.mark.parametrize("day", [date(1, 1, 1), date(2026, 12, 31), date(9999, 12, 31)])
def test_a_day_that_the_sources_can_say_nothing_about_is_refused(trained_channel: Path, day: date) -> None:
    with pytest.raises(InvalidInput, match="2026-10-15"):
        score(load_workspace(trained_channel), ScoreRequest(day, TODAY))
