"""Archetypes: agreement with known groups, false positives on one blob, label change over retrains.

`python benchmarks/bench_archetypes.py [mixtures|blobs|wholesale|retrains] [COUNT] [SEED] [SHAPE ...]`. `mixtures`:
synthetic channels, the hidden archetypes against those found among the partners that are there. `blobs`: partners of
one kind, in shapes that are round, long, heavy-tailed, square, full of zeros: at most one in ten may be called
archetypes; COUNT channels per shape, number of metrics (4, 8) and of partners (80, 200, 600), drawn from SEED.
`wholesale`: UCI Wholesale against `Channel`, as it is, shuffled and in cents, with several seeds. `retrains`: nine
quarterly trainings one after another, the share of partners known to both whose archetype changed.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.metrics import adjusted_rand_score

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.bench_potential import data_folder  # noqa: E402
from tierwise.archetypes import ArchetypeModel, assign, fit  # noqa: E402
from tierwise.config.load import load_workspace  # noqa: E402
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet  # noqa: E402
from tierwise.jobs.accept import accepted_tables  # noqa: E402
from tierwise.jobs.init import InitRequest, init  # noqa: E402
from tierwise.jobs.progress import Steps, silent  # noqa: E402
from tierwise.jobs.snapshots import archetype_features, departed  # noqa: E402
from tierwise.metrics import compute  # noqa: E402

Floats = NDArray[np.float64]
SPEC = ArchetypeSpec()
SHAPES = (
    "round Gaussian", "long Gaussian", "one factor", "t(3), long", "t(3) metrics, mixed", "log-normal, long", "uniform",
    "uniform, turned", "counts", "zeros", "revenue only",
)  # fmt: skip
BLOB_METRICS, BLOB_PARTNERS = (4, 8), (80, 200, 600)
SPENDS = ["Fresh", "Milk", "Grocery", "Frozen", "Detergents_Paper", "Delicassen"]
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


def one_kind(shape: str, partners: int, metrics: int, rng: np.random.Generator) -> Floats:
    """Metrics of partners of one kind, shape (partners, metrics)."""
    normal, turn = rng.standard_normal((partners, metrics)), rng.standard_normal((metrics, metrics))
    level = rng.standard_normal((partners, 1))
    offsets = rng.uniform(-1, 1, (1, metrics))
    if shape == "zeros":
        size = level + 0.6 * normal
        return np.where(size > offsets / 2, np.exp(size + 0.3 * rng.standard_normal(size.shape)), 0.0)
    made = {
        "round Gaussian": normal,
        "long Gaussian": normal @ turn,
        "one factor": level * (1 + offsets / 2) + 0.6 * normal,
        "t(3), long": normal @ turn / np.sqrt(rng.chisquare(3, (partners, 1)) / 3),
        "t(3) metrics, mixed": rng.standard_t(3, (partners, metrics)) @ turn,
        "log-normal, long": np.exp(normal @ turn / 2),
        "uniform": rng.random((partners, metrics)),
        "uniform, turned": rng.random((partners, metrics)) @ turn,
        "counts": rng.poisson(np.exp(0.7 * level + offsets)).astype(np.float64),
        "revenue only": np.exp(level + 3 * offsets + 0.1 * normal),
    }
    return made[shape]


def blobs(channels: int) -> None:
    """Print how often partners of one kind are taken for archetypes, by shape, and by number of partners."""
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    print(f"seed {seed}; {channels} channels each of {BLOB_METRICS} metrics; 95 % range of the rate in brackets")
    for shape in sys.argv[4:] or SHAPES:
        counts = {partners: _called(shape, partners, channels, seed) for partners in BLOB_PARTNERS}
        tried = channels * len(BLOB_METRICS)
        cells = ", ".join(f"{count} of {tried} of {partners}" for partners, count in counts.items())
        print(f"{shape}: {_rate(sum(counts.values()), tried * len(counts))}; {cells} partners", flush=True)


def _called(shape: str, partners: int, channels: int, seed: int) -> int:
    """Count the channels of as many partners that are called archetypes."""
    streams = [np.random.default_rng([seed, SHAPES.index(shape), metrics, partners]) for metrics in BLOB_METRICS]
    return sum(
        _accepted(shape, partners, metrics, rng)
        for metrics, rng in zip(BLOB_METRICS, streams, strict=True)
        for _ in range(channels)
    )


def _rate(count: int, tried: int) -> str:
    """Say a rate with the 95 % range that so few channels leave (Clopper and Pearson)."""
    low = beta.ppf(0.025, count, tried - count + 1) if count else 0.0
    high = beta.ppf(0.975, count + 1, tried - count) if count < tried else 1.0
    return f"archetypes in {count} of {tried}, {count / tried:.3f} [{low:.3f}, {high:.3f}]"


def _accepted(shape: str, partners: int, metrics: int, rng: np.random.Generator) -> bool:
    columns = FeatureSet(tuple(Feature(f"metric_{number}") for number in range(metrics)), "none")
    rows = pd.DataFrame(one_kind(shape, partners, metrics, rng), columns=list(columns.names))
    rows.insert(0, "partner_id", pd.Series([f"P{number:05d}" for number in range(partners)], dtype="str"))
    return fit(rows, columns, SPEC, int(rng.integers(2**31))).supported


def wholesale(seeds: int) -> None:
    """Print the adjusted Rand index against `Channel`, of the file as it is and shuffled in cents, by seed."""
    folder = data_folder()
    if folder is None:
        return
    rows = pd.read_csv(folder / "uci_wholesale_customers" / "wholesale_customers.csv")
    columns = FeatureSet(tuple(Feature(name, unit="EUR") for name in SPENDS), "total")
    rows = rows.assign(partner_id=[f"C{number:03d}" for number in range(len(rows))], total=rows[SPENDS].sum(axis=1))
    for seed in range(1, seeds + 1):
        plain = assign(fit(rows, columns, SPEC, seed), rows)["archetype_id"].fillna("none")
        cents = rows.assign(**{name: rows[name] * 100 for name in (*SPENDS, "total")})
        other = cents.sample(frac=1, random_state=seed)[cents.columns[::-1]]
        again = assign(fit(other, columns, SPEC, seed), other)["archetype_id"].fillna("none").set_axis(other.index)
        same = adjusted_rand_score(plain, again.sort_index())
        found = adjusted_rand_score(rows["Channel"], plain)
        print(
            f"seed {seed}: {plain.nunique()} groups, ARI {found:.3f}; shuffled, in cents: {same:.3f} alike", flush=True
        )


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
    count = (
        int(sys.argv[2]) if len(sys.argv) > 2 else {"mixtures": 10, "blobs": 30, "wholesale": 10, "retrains": 1}[part]
    )
    {"mixtures": mixtures, "blobs": blobs, "wholesale": wholesale, "retrains": retrains}[part](count)


if __name__ == "__main__":
    main()
