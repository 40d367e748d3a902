"""Tracks from review to review: `score` moves and stores them, and the next review starts from what was stored."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.channel import AS_OF, BEFORE, TODAY
from tierwise.config.load import load_workspace
from tierwise.jobs.accept import accepted_tables
from tierwise.jobs.explain import explain_partner, open_review
from tierwise.jobs.progress import Steps, silent
from tierwise.jobs.review_pack import summarise_pack
from tierwise.jobs.score import ScoreRequest, score
from tierwise.jobs.tier_history import history_before, track_histories_before
from tierwise.reports.digest import as_markdown
from tierwise.reports.pack_page import as_pages
from tierwise.reports.workbook import sheets_of
from tierwise.store import read_table

TRACKS = {
    "skills": {"tiers": [{"name": "none"}, {"name": "skilled", "when": "certified_people >= 3"}]},
    "reach": {"tiers": [{"name": "none"}, {"name": "broad", "when": "customers_4q >= 10"}]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, trained_channel: Path) -> Path:
    """The demo channel with two tracks, decisions about one of them, and two reviews."""
    folder = tmp_path_factory.mktemp("tracks") / "workspace"
    shutil.copytree(trained_channel, folder)
    for path in (folder / "policies").glob("*.yaml"):
        policy = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump({**policy, "tracks": TRACKS}, sort_keys=False), encoding="utf-8")
    settings = yaml.safe_load((folder / "tierwise.yaml").read_text(encoding="utf-8"))
    settings["tables"]["track_history"] = {
        "kind": "tier_history",
        "source": {"csv": "track_history.csv"},
        "key": ["partner_id", "valid_from", "track"],
        "columns": {"partner_id": None, "valid_from": None, "tier": None, "track": None},
    }
    (folder / "tierwise.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    decisions = folder / "data" / "track_history.csv"
    decisions.write_text("partner_id,valid_from,tier,track\n", encoding="utf-8")
    score(load_workspace(folder), ScoreRequest(BEFORE, TODAY))
    placed = read_table(folder / "output", BEFORE, "tracks").query(
        "track == 'skills' and recommended_tier == 'skilled'"
    )
    decided = pd.DataFrame(
        {
            "partner_id": placed["partner_id"].iloc[:1],
            "valid_from": BEFORE.isoformat(),
            "tier": "none",
            "track": "skills",
        }
    )
    decided.to_csv(decisions, index=False)
    score(load_workspace(folder), ScoreRequest(AS_OF, TODAY))
    return folder


def read(folder: Path, day: object) -> pd.DataFrame:
    return read_table(folder / "output", day, "tracks")  # type: ignore[arg-type]


def test_every_partner_has_a_row_on_every_track(folder: Path) -> None:
    for day in (BEFORE, AS_OF):
        partners = read_table(folder / "output", day, "recommendations")["partner_id"]
        assert read(folder, day).groupby("track")["partner_id"].apply(list).to_dict() == {
            name: list(partners) for name in TRACKS
        }
    assert set(read(folder, BEFORE)["action"]) == {"place"}


def test_the_next_review_starts_from_the_stored_tracks_and_the_decisions(folder: Path) -> None:
    before, now = (read(folder, day).set_index(["partner_id", "track"]) for day in (BEFORE, AS_OF))
    common = before.index.intersection(now.index)
    carried = before.loc[common, "recommended_tier"]
    differ = now.loc[common, "current_tier"] != carried
    assert differ.sum() == 1, "the one decision against the recommendation"
    assert now.loc[common][differ]["current_tier"].tolist() == ["none"]
    assert set(now.loc[common, "action"]) <= {"promote", "demote", "hold", "watch", "insufficient_evidence"}
    assert set(now.loc[now.index.difference(common), "action"]) == {"place"}


def test_decisions_about_tracks_leave_the_tiers_history_alone(folder: Path) -> None:
    workspace = load_workspace(folder)
    with accepted_tables(workspace, TODAY, Steps(silent, 2)) as (engine, _):
        tiers = history_before(engine, workspace, workspace.output_folder, AS_OF)
        tracks = track_histories_before(engine, workspace, workspace.output_folder, AS_OF, TRACKS)
    assert set(tiers["tier"].dropna()) <= {"entry", "growth", "strategic", "flagship", "exit"}
    assert not tiers.duplicated(["partner_id", "as_of"]).any()
    assert {name: set(history["tier"]) for name, history in tracks.items()} == {
        "skills": {"none", "skilled"},
        "reach": {"none", "broad"},
    }


def test_a_repeated_review_does_not_see_itself(folder: Path) -> None:
    first = read(folder, AS_OF)
    again = score(load_workspace(folder), ScoreRequest(AS_OF, TODAY))
    assert again.run_id == str(first["run_id"].iloc[0])
    pd.testing.assert_frame_equal(read(folder, AS_OF), first)


def test_the_pack_counts_the_tracks_and_lists_who_moves_on_them(folder: Path) -> None:
    source = open_review(load_workspace(folder))
    pack, stored = summarise_pack(source), read(folder, AS_OF)
    assert [line.title for line in pack.ladders.tracks] == list(TRACKS)
    for line in pack.ladders.tracks:
        own = stored[stored["track"] == line.title]
        assert dict(line.tiers) == own["recommended_tier"].value_counts().to_dict()
        assert (line.rises, line.falls) == tuple(int((own["action"] == one).sum()) for one in ("promote", "demote"))
    moving = stored[stored["action"].isin(["promote", "demote"])]
    assert sorted((move.row.partner_id, move.track) for move in pack.ladders.moves) == sorted(
        zip(moving["partner_id"], moving["track"], strict=True)
    )
    assert "## Tracks" in as_markdown(pack)
    assert "Tracks" in [sheet.name for sheet in sheets_of(pack)]
    page = as_pages(pack)["index.html"]
    assert 'id="tracks"' in page
    assert 'id="units"' not in page


def test_a_partners_page_shows_every_track(folder: Path) -> None:
    partner = read(folder, AS_OF)["partner_id"].iloc[0]
    page = explain_partner(load_workspace(folder), partner)
    assert [track.title for track in page.ladders.tracks] == list(TRACKS)
    assert not page.ladders.units


def test_reviews_without_tracks_are_no_past(scored_channel: Path) -> None:
    workspace = load_workspace(scored_channel)
    with accepted_tables(workspace, TODAY, Steps(silent, 2)) as (engine, _):
        found = track_histories_before(engine, workspace, workspace.output_folder, AS_OF, ["skills"])
    assert found["skills"].empty
