"""Archetypes: agreement with known groups, false positives on one blob, label change over retrains.

`python benchmarks/bench_archetypes.py [mixtures|blobs|retrains] [COUNT]`. `mixtures`: synthetic channels, the hidden
archetypes against those found among the partners that are there (UCI Wholesale: tests/archetypes/test_wholesale.py).
`blobs`: one Gaussian of several dimensions and sizes must say "no archetypes supported". `retrains`: nine quarterly
trainings one after another, the share of partners known to both whose archetype changed.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from tierwise.archetypes import ArchetypeModel, assign, fit
from tierwise.config.load import load_workspace
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet
from tierwise.jobs.accept import accepted_tables
from tierwise.jobs.init import InitRequest, init
from tierwise.jobs.progress import Steps, silent
from tierwise.jobs.snapshots import archetype_features, departed
from tierwise.metrics import compute

SPEC = ArchetypeSpec()
LAST = date(2026, 9, 30)
RETRAINS = 8


def rows_of(seed: int, days: list[date]) -> tuple[dict[date, pd.DataFrame], pd.Series, FeatureSet]:
    """Metric rows of the partners that are there on each day, the hidden archetype by partner, and the columns."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "demo"
        init(InitRequest(folder, "demo", seed=seed))
        workspace = load_workspace(folder)
        with accepted_tables(workspace, date(2026, 10, 15), Steps(silent, 2)) as (engine, _):
            rows = compute(engine, workspace, days)
            gone = {day: departed(engine, workspace, day) for day in days}
        truth = pd.read_parquet(folder / "truth" / "partners.parquet").set_index("partner_id")["archetype"]
    known = {day: rows[(rows["as_of"] == pd.Timestamp(day)) & rows["first_seen"].notna()] for day in days}
    there = {day: frame[~frame["partner_id"].isin(gone[day])].reset_index(drop=True) for day, frame in known.items()}
    return there, truth, archetype_features(workspace)


def mixtures(seeds: int) -> None:
    """Print the adjusted Rand index against the hidden archetypes, by seed."""
    found = []
    for seed in range(1, seeds + 1):
        there, truth, columns = rows_of(seed, [LAST])
        rows = there[LAST]
        model = fit(rows, columns, SPEC, 1)
        labels = assign(model, rows)["archetype_id"].fillna("none")
        found.append(adjusted_rand_score(rows["partner_id"].map(truth), labels))
        print(
            f"seed {seed}: ARI {found[-1]:.3f}, {len(model.archetypes)} archetypes of {len(rows)} partners", flush=True
        )
    print(f"mean {np.mean(found):.3f}, least {np.min(found):.3f}")


def blobs(seeds: int) -> None:
    """Print how often one Gaussian is taken for archetypes, by dimensions, size and shape."""
    for dimensions in (4, 8, 12):
        names = [f"metric_{number}" for number in range(dimensions)]
        columns = FeatureSet(tuple(Feature(name) for name in names), "none")
        for partners in (80, 300, 1000):
            for long in (False, True):
                rng = np.random.default_rng([dimensions, partners, long])
                accepted = sum(_accepted(rng, partners, columns, long) for _ in range(seeds))
                shape = "long" if long else "round"
                print(f"{dimensions} metrics, {partners} partners, {shape}: accepted {accepted} of {seeds}", flush=True)


def _accepted(rng: np.random.Generator, partners: int, columns: FeatureSet, long: bool) -> bool:
    dimensions = len(columns.names)
    turn = rng.standard_normal((dimensions, dimensions)) if long else np.eye(dimensions)
    rows = pd.DataFrame(rng.standard_normal((partners, dimensions)) @ turn, columns=list(columns.names))
    rows.insert(0, "partner_id", pd.Series([f"P{number:05d}" for number in range(partners)], dtype="str"))
    return fit(rows, columns, SPEC, int(rng.integers(2**31))).supported


def retrains(seed: int) -> None:
    """Print the share of partners whose archetype changed, retrain by retrain."""
    quarters = pd.date_range(end=pd.Timestamp(LAST), periods=RETRAINS + 1, freq="QE")
    days = [day.date() for day in quarters]
    there, _, columns = rows_of(seed, days)
    before: ArchetypeModel | None = None
    changes = []
    for day in days:
        model = fit(there[day], columns, SPEC, 1, previous=before)
        if before is not None:
            both = before.memory.merge(model.memory, on="partner_id", suffixes=("_old", "_new"))
            changes.append(float((both["archetype_id_old"] != both["archetype_id_new"]).mean()))
            print(f"{day}: {changes[-1]:.3f} of {len(both)} changed, {len(model.archetypes)} archetypes", flush=True)
        before = model
    print(f"seed {seed}: mean {np.mean(changes):.3f}, greatest {np.max(changes):.3f} over {len(changes)} retrains")


def main() -> None:
    """Run what was asked for."""
    part = sys.argv[1] if len(sys.argv) > 1 else "mixtures"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else {"mixtures": 10, "blobs": 30, "retrains": 1}[part]
    {"mixtures": mixtures, "blobs": blobs, "retrains": retrains}[part](count)


if __name__ == "__main__":
    main()
