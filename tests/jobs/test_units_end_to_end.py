"""A program with a tier per country (Salesforce PY20), from CSV files to the review, the preview and the replay."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.policy.case_files import CASES
from tierwise.config.load import Workspace, load_workspace
from tierwise.errors import InvalidInput
from tierwise.jobs.explain import explain_partner, open_review
from tierwise.jobs.policy import PolicyRequest, lint_on_data, preview_policy, replay_policy
from tierwise.jobs.review_pack import summarise_pack
from tierwise.jobs.score import ScoreRequest, score
from tierwise.jobs.train import train
from tierwise.reports.digest import as_markdown
from tierwise.reports.partner_page import as_html
from tierwise.store import read_table

PUBLISHED = CASES / "programs" / "salesforce_py20" / "policy.yaml"
FIRST, SECOND, TODAY = date(2019, 9, 30), date(2019, 12, 31), date(2020, 1, 15)
COUNTRIES = ("US", "GB", "DE", "FR", "NL")
TIERS = ("Registered", "Silver", "Gold", "Platinum", "Global Strategic")
SETTINGS = """
tierwise: 1
name: Countries
extracted_on: 2019-12-31
tables:
  partners:
    kind: partners
    source: {csv: partners.csv}
    columns: {partner_id: , joined_on: , region: {static: true}}
  deals:
    kind: events
    source: {csv: deals.csv}
    key: [deal_id]
    columns: {deal_id: , partner_id: , date: , country: , amount: {type: money}}
  certifications:
    kind: events
    source: {csv: certifications.csv}
    columns: {partner_id: , date: , country: , person: }
  surveys:
    kind: events
    source: {csv: surveys.csv}
    columns: {partner_id: , date: , country: , score: {type: decimal}}
  flags:
    kind: events
    source: {csv: flags.csv}
    columns: {partner_id: , date: , flag: , until: {type: date}, author: }
segments: {region: region}
potential: {metric: acv, horizon: 4 quarters}
"""
CATALOG = """
units:
  country: {title: Country, columns: {deals: country, certifications: country, surveys: country}}
metrics:
  acv:
    {title: ACV, unit: USD, owner: programs, from: deals, value: sum(amount), window: 4 quarters, missing: 0,
     direction: up, actionable: true}
  acv_global:
    {title: ACV everywhere, unit: USD, owner: programs, from: deals, value: sum(amount), window: 4 quarters,
     missing: 0, scope: partner}
  certified:
    {title: Certified people, unit: people, owner: programs, from: certifications, value: count(distinct person),
     window: lifetime, missing: 0}
  csat:
    {title: Customer satisfaction, unit: points, owner: programs, from: surveys, value: avg(score), window: 12 months}
"""


def rows() -> dict[str, pd.DataFrame]:
    """Thirty partners with deals, people and surveys in some of the countries; P00 is a global one, P29 has no row."""
    rng = np.random.default_rng(5)
    names = [f"P{number:02d}" for number in range(30)]
    days = pd.to_datetime(pd.date_range("2018-01-05", "2019-12-31", freq="45D"))
    deals = []
    for partner in names[:-1]:
        size = rng.lognormal(10, 1.5)
        own = rng.choice(COUNTRIES, rng.integers(1, 4), replace=False)
        deals += [(partner, day, rng.choice(own), round(size * rng.uniform(0.5, 1.5), 2)) for day in days]
    deals += [("P00", pd.Timestamp(2019, 5, 5), country, 2_000_000) for country in COUNTRIES]
    deals.append(("P01", pd.Timestamp(2019, 5, 5), None, 9_000_000))
    deals_frame = pd.DataFrame(deals, columns=["partner_id", "date", "country", "amount"])
    deals_frame.insert(0, "deal_id", [f"D{number}" for number in range(len(deals_frame))])
    people = [("P00", "2018-01-01", country, f"{country}{number}") for country in COUNTRIES for number in range(50)]
    people += [(partner, "2019-02-01", "US", f"{partner}-{number}") for partner in names[2:9] for number in range(20)]
    surveys = [(partner, "2019-06-01", "US", 4.5) for partner in names[2:12]]
    return {
        "partners": pd.DataFrame({"partner_id": names, "joined_on": "2017-06-01", "region": "EMEA"}),
        "deals": deals_frame,
        "certifications": pd.DataFrame(people, columns=["partner_id", "date", "country", "person"]),
        "surveys": pd.DataFrame(surveys, columns=["partner_id", "date", "country", "score"]),
        "flags": pd.DataFrame(
            [("P00", "2019-02-01", "invited_global_strategic", None, "kim")],
            columns=["partner_id", "date", "flag", "until", "author"],
        ),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("countries")
    (folder / "data").mkdir()
    (folder / "policies").mkdir()
    (folder / "tierwise.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "metrics.yaml").write_text(CATALOG, encoding="utf-8")
    shutil.copy(PUBLISHED, folder / "policies" / "2019-02-01.yaml")
    for name, frame in rows().items():
        frame.to_csv(folder / "data" / f"{name}.csv", index=False)
    workspace = load_workspace(folder)
    train(workspace, FIRST, TODAY)
    for day in (FIRST, SECOND):
        score(workspace, ScoreRequest(day, TODAY))
    return folder


@pytest.fixture
def workspace(folder: Path) -> Workspace:
    return load_workspace(folder)


def read(workspace: Workspace, name: str, day: date = FIRST) -> pd.DataFrame:
    return read_table(workspace.output_folder, day, name)


def points_by_hand(day: date) -> pd.Series:
    """The published score of every partner and country, from the rows with pandas."""
    tables = rows()
    deals, people, surveys = (tables[name].dropna(subset="country") for name in ("deals", "certifications", "surveys"))
    for frame in (deals, people, surveys):
        frame["date"] = pd.to_datetime(frame["date"])
    end, keys = pd.Timestamp(day), ["partner_id", "country"]
    year = deals[(deals["date"] > end - pd.DateOffset(years=1)) & (deals["date"] <= end)]
    parts = pd.DataFrame(
        {
            "acv": year.groupby(keys)["amount"].sum(),
            "people": people[people["date"] <= end].groupby(keys)["person"].nunique(),
            "csat": surveys[surveys["date"] > end - pd.DateOffset(years=1)].groupby(keys)["score"].mean(),
        }
    ).fillna(0)
    capped = (parts["acv"] / 1_000_000).clip(upper=1) * 400 + (parts["people"] / 50).clip(upper=1) * 350
    return capped + parts["csat"] / 5 * 250


def test_every_country_gets_the_tier_of_its_own_figures(workspace: Workspace) -> None:
    units, points = read(workspace, "units"), points_by_hand(FIRST)
    named = units[units["unit"] != "(none)"].set_index(["partner_id", "unit"])["eligible_tier"]
    earned = points.reindex(named.index).fillna(0)
    bounds = pd.cut(earned, [-1, 249.999999, 449.999999, 699.999999, 1000], labels=list(TIERS[:4])).astype("str")
    assert named.tolist() == bounds.tolist()
    assert set(named) >= {"Registered", "Silver", "Platinum"}


def test_the_partner_has_its_best_countrys_tier(workspace: Workspace) -> None:
    units, found = read(workspace, "units"), read(workspace, "recommendations").set_index("partner_id")
    named = units[units["unit"] != "(none)"]
    places = named["eligible_tier"].map({name: place for place, name in enumerate(TIERS)})
    best = places.groupby(named["partner_id"]).max().map(dict(enumerate(TIERS)))
    others = found.index.difference(["P00", "P29"])
    assert found.loc[others, "eligible_tier"].tolist() == best[others].tolist()
    assert found.loc["P00", "eligible_tier"] == "Global Strategic"
    assert found.loc["P29", "eligible_tier"] == "Registered"
    assert units.groupby("partner_id")["decides"].sum().eq(1).all()
    assert units.loc[units["partner_id"] == "P29", "unit"].tolist() == ["(none)"]


def test_deals_without_a_country_are_shown_and_never_decide(workspace: Workspace) -> None:
    units = read(workspace, "units").set_index(["partner_id", "unit"])
    assert ("P01", "(none)") in units.index
    assert not units.loc[("P01", "(none)"), "decides"]


def test_criteria_show_the_deciding_country_and_all_countries_beside_it(workspace: Workspace) -> None:
    criteria, every = read(workspace, "criteria"), read(workspace, "unit_criteria")
    decides = read(workspace, "units").query("decides").set_index("partner_id")["unit"]
    plain = criteria[~criteria["tier"].isin(["Global Strategic"])]
    assert plain["unit"].tolist() == decides[plain["partner_id"]].tolist()
    keys = ["partner_id", "unit", "tier", "criterion"]
    both = plain.merge(every, on=keys, suffixes=("", "_of_unit"), validate="one_to_one")
    assert len(both) == len(plain)
    assert both["value"].equals(both["value_of_unit"])
    counted = criteria[criteria["criterion"] == "reached_in_Platinum"].set_index("partner_id")
    assert counted.loc["P00", ["value", "threshold", "met"]].tolist() == [4, 2, "true"]
    assert counted["unit"].isna().all()


def test_potential_and_revenue_stay_those_of_the_whole_partner(workspace: Workspace) -> None:
    metrics = read(workspace, "metrics").set_index("partner_id")
    assert metrics["acv"].equals(metrics["acv_global"])
    assert len(metrics) == 30


def test_the_same_review_twice_gives_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    again = score(workspace, ScoreRequest(FIRST, TODAY, out=tmp_path))
    first = workspace.output_folder / FIRST.isoformat()
    assert again.run_id == str(read(workspace, "units")["run_id"].iloc[0])
    for name in ("units", "unit_criteria", "criteria", "recommendations"):
        assert (tmp_path / FIRST.isoformat() / f"{name}.parquet").read_bytes() == (
            first / f"{name}.parquet"
        ).read_bytes()


def test_preview_and_replay_place_by_unit(workspace: Workspace, folder: Path) -> None:
    stricter = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))
    stricter["effective_from"], stricter["tiers"][1]["when"] = date(2020, 2, 1), "trailblazer >= 300"
    (folder / "new.yaml").write_text(yaml.safe_dump(stricter), encoding="utf-8")
    seen = preview_policy(workspace, PolicyRequest(str(folder / "new.yaml"), TODAY, as_of=FIRST)).preview
    stored = read(workspace, "recommendations").set_index("partner_id")
    partners = seen.partners.set_index("partner_id")
    assert partners["tier_in_force"].tolist() == stored["recommended_tier"].tolist()
    assert set(partners["change"]) <= {"same", "down"}
    assert partners["revenue"].tolist() == read(workspace, "metrics")["acv"].tolist()
    played = replay_policy(workspace, PolicyRequest(None, TODAY, as_of=FIRST, since=FIRST))
    (replayed,) = played.replays.values()
    assert replayed.recommendations["eligible_tier"].tolist() == stored["eligible_tier"].tolist()


def test_a_policy_by_units_and_one_without_replay_side_by_side(workspace: Workspace, folder: Path) -> None:
    whole = {
        "policy": "whole", "effective_from": date(2020, 2, 1), "owner": "o", "reason": "r",
        "tiers": [{"name": "Registered"}, {"name": "Silver", "when": "acv >= 100000"}],
    }  # fmt: skip
    (folder / "whole.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    played = replay_policy(workspace, PolicyRequest(str(folder / "whole.yaml"), TODAY, as_of=SECOND, since=FIRST))
    assert [len(found.recommendations) for found in played.replays.values()] == [60, 60]


def test_lint_and_score_refuse_a_unit_that_the_catalog_does_not_have(workspace: Workspace, folder: Path) -> None:
    text = PUBLISHED.read_text(encoding="utf-8").replace("column: country", "column: region")
    (folder / "wrong.yaml").write_text(text, encoding="utf-8")
    request = PolicyRequest(str(folder / "wrong.yaml"), TODAY, as_of=FIRST)
    for job in (lint_on_data, preview_policy):
        with pytest.raises(InvalidInput, match="'region' is no unit of the catalog"):
            job(workspace, request)


def test_the_pack_and_the_pages_show_the_units(workspace: Workspace) -> None:
    pack, stored = summarise_pack(open_review(workspace)), read_table(workspace.output_folder, SECOND, "units")
    assert pack.ladders.unit_title == "Country"
    assert sum(line.partners for line in pack.ladders.units) == len(stored)
    assert sum(line.decides for line in pack.ladders.units) == stored["decides"].sum()
    assert "## By country" in as_markdown(pack)
    page = explain_partner(workspace, "P00")
    assert [unit.unit for unit in page.ladders.units] == ["DE", "FR", "GB", "NL", "US"]
    assert [unit.decides for unit in page.ladders.units] == [True, False, False, False, False]
    assert 'id="units"' in as_html(page)
