"""Training at size: time per phase, peak memory, and the ratio to a plain LightGBM fit of the same rows.

`python benchmarks/bench_train.py [PARTNERS] [REVIEWS] [METRICS]`, by default 100,000 x 12 x 40; the goal is ten minutes
and 8 GB on two cores. Timed are the learning phases of the job `train`, from ready snapshots. Left out: checking and
computing the metrics, the guard that holds attributes against the history on record, the optional tuning, and plots,
card and registration in MLflow. `python benchmarks/bench_train.py job [PARTNERS] [FOLDER]` leaves nothing out: it makes
a workspace (`tierwise init --example demo --partners N`, not timed) and runs the job `train` there; that channel has
its own number of metrics. A folder keeps the channel for a next run, which trains in a copy of the workspace. CPU
seconds, with those of processes that ended, stand beside the clock's, because other work on the machine shows there.
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command does, before anything that has threads is loaded

import lightgbm as lgb
import numpy as np
import pandas as pd

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.audit import detect_drift, reference_rows
from tierwise.config.load import load_workspace
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet, PotentialSpec
from tierwise.jobs.init import InitRequest, init
from tierwise.jobs.learning import shown_archetypes
from tierwise.jobs.progress import Step
from tierwise.jobs.snapshots import model_features
from tierwise.jobs.stability import judge_stability
from tierwise.jobs.train import train
from tierwise.potential import PotentialModel

HORIZON_QUARTERS = 4
KINDS = 5
SEED = 1
BESIDE = ("make the snapshots", "plain LightGBM fit")


def features(metrics: int) -> FeatureSet:
    """Metrics of which the first tells most, some go up and some have no direction."""
    names = tuple(
        Feature(f"metric_{number:02d}", direction="up" if number % 3 == 0 else "none") for number in range(metrics)
    )
    return FeatureSet(names, "metric_00", "USD", ("region", "partner_type"), ("region",))


def made_up_snapshots(partners: int, reviews: int, metrics: int) -> pd.DataFrame:
    """Labelled quarter ends and an open one; metrics are noisy views of size and of a hidden kind of partner."""
    rng = np.random.default_rng(1)
    size, kind = rng.normal(9, 1.3, partners), rng.integers(0, KINDS, partners)
    weights, views = rng.normal(0, 0.6, metrics), rng.normal(0, 1.2, (KINDS, metrics))
    names = [f"P{number:07d}" for number in range(partners)]
    region, sort = rng.choice(["AMER", "APAC", "EMEA"], partners), rng.choice(["A", "B", "C"], partners)
    tenure = rng.integers(30, 4000, partners).astype(float)
    days = pd.date_range(end="2026-09-30", periods=reviews + HORIZON_QUARTERS, freq="QE")
    blocks = []
    for day in [*days[:reviews], days[-1]]:
        drift = rng.normal(0, 0.5, partners)
        values = np.exp(
            0.1 * size[:, None] * weights + views[kind] + 0.3 * drift[:, None] + rng.normal(0, 0.5, (partners, metrics))
        )
        values[:, 0] = np.exp(size + drift) * (rng.random(partners) < 0.8)
        values[rng.random((partners, metrics)) < 0.02] = np.nan
        block = pd.DataFrame(values, columns=[f"metric_{number:02d}" for number in range(metrics)])
        block.insert(0, "as_of", day)
        block.insert(1, "partner_id", names)
        label = np.exp(size + 0.7 * drift + rng.normal(0, 0.5, partners)) * (rng.random(partners) < 0.8)
        closed = day in days[:reviews]
        blocks.append(
            block.assign(
                region=region, partner_type=sort, tenure_days=tenure, persistence=block["metric_00"],
                label=label if closed else np.nan, label_until=day + pd.DateOffset(years=1),
            )
        )  # fmt: skip
    frame = pd.concat(blocks, ignore_index=True)
    dates, texts = dict.fromkeys(("as_of", "label_until"), "datetime64[us]"), ("partner_id", "region", "partner_type")
    return frame.astype({**dates, **dict.fromkeys(texts, "str")})


@contextmanager
def phase(name: str, times: dict[str, float]) -> Iterator[None]:
    """Time one phase and say how it went."""
    gc.collect()
    start, worked = time.perf_counter(), cpu_seconds()
    yield
    times[name], worked = time.perf_counter() - start, cpu_seconds() - worked
    print(f"{name:<38} {times[name]:7.1f} s   CPU {worked:7.1f} s   peak {peak_gb():.2f} GB", flush=True)


def peak_gb() -> float:
    """The peak resident memory in GB of this process, or of the largest that it started."""
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(used) / 1024**2


def cpu_seconds() -> float:
    """The CPU seconds of this process and of those it started that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def plain_fit(rows: pd.DataFrame, columns: FeatureSet, spec: PotentialSpec) -> None:
    """What anyone would do: LightGBM's Tweedie on all rows, no monotone directions, same trees, same threads."""
    trees = spec.trees
    data = lgb.Dataset(rows[list(columns.names)].to_numpy(), label=rows["label"].to_numpy() / rows["label"].mean())
    settings = {
        "objective": "tweedie", "num_leaves": trees.leaves, "max_depth": trees.depth, "verbose": -1,
        "learning_rate": trees.learning_rate, "num_threads": trees.threads,
    }  # fmt: skip
    lgb.train(settings, data, num_boost_round=trees.trees)


@dataclass(frozen=True)
class _Data:
    snapshots: pd.DataFrame
    features: FeatureSet
    spec: PotentialSpec

    @property
    def as_of(self) -> pd.Timestamp:
        return pd.Timestamp(self.snapshots["as_of"].max())

    @property
    def current(self) -> pd.DataFrame:
        return self.snapshots[self.snapshots["as_of"] == self.as_of].reset_index(drop=True)

    @property
    def last_review(self) -> pd.DataFrame:
        labelled = self.snapshots[self.snapshots["label"].notna()]
        last: pd.DataFrame = labelled[labelled["as_of"] == labelled["as_of"].max()]
        return last


def learn(data: _Data, times: dict[str, float]) -> tuple[PotentialModel, ArchetypeModel]:
    """Run the learning phases of the job `train`, in its order."""
    snapshots, columns, spec, as_of, current = data.snapshots, data.features, data.spec, data.as_of, data.current
    with phase("train the potential model", times):
        model = potential.train(snapshots, columns, spec, as_of, SEED)
    with phase("find the archetypes", times):
        found = archetypes.fit(current, columns, ArchetypeSpec(), SEED)
    with phase("train again on drawn partners", times):
        judge_stability(model, snapshots, current, SEED)
    with phase("name the archetype of every snapshot", times):
        named = snapshots.assign(archetype=shown_archetypes(found, snapshots).to_numpy()) if found.supported else None
    with phase("back-test four origins, leak guards", times):
        segments = ["region"] if named is None else ["region", "archetype"]
        potential.backtest(snapshots if named is None else named, columns, spec, as_of, SEED, segments)
    with phase("assign everyone, with reasons", times):
        archetypes.assign(found, current)
    with phase("compare with the rows of training", times):
        detect_drift(reference_rows(data.last_review, columns, SEED), current, columns, SEED)
    return model, found


class StepClock:
    """Hears the steps of a job and says how long each took."""

    def __init__(self) -> None:
        self._what, self._start, self._worked = "", time.perf_counter(), cpu_seconds()

    def __call__(self, step: Step) -> None:
        """End the step before and begin one."""
        self.end()
        self._what, self._start, self._worked = step.what, time.perf_counter(), cpu_seconds()

    def end(self) -> None:
        """Say how long the step took, if one has begun."""
        if self._what:
            took, worked = time.perf_counter() - self._start, cpu_seconds() - self._worked
            print(f"{self._what:<45} {took:7.1f} s   CPU {worked:7.1f} s   peak {peak_gb():.2f} GB", flush=True)


def demo_channel(folder: Path, partners: int) -> Path:
    """Return the workspace of a demo channel of as many partners; made where it is not there yet."""
    channel = folder / f"demo-{partners}"
    if not (channel / "tierwise.yaml").exists():
        init(InitRequest(channel, "demo", partners=partners))
    return channel


def scratch_copy(channel: Path, folder: Path) -> Path:
    """Copy a workspace without its data, which are linked, and without what runs have left."""
    shutil.copytree(channel, folder, ignore=shutil.ignore_patterns("data", "output", "truth", "mlflow*", "mlruns"))
    (folder / "data").symlink_to((channel / "data").resolve(), target_is_directory=True)
    return folder


def whole_job(partners: int, keep: Path | None) -> None:
    """Run the job `train` on a demo channel, from its files to the registered version."""
    with tempfile.TemporaryDirectory() as place:
        folder = scratch_copy(demo_channel(keep or Path(place), partners), Path(place) / "trained")
        workspace, clock, start, worked = load_workspace(folder), StepClock(), time.perf_counter(), cpu_seconds()
        summary = train(workspace, date(2026, 9, 30), date(2026, 10, 15), clock)
        clock.end()
        minutes, metrics = (time.perf_counter() - start) / 60, len(model_features(workspace).names)
        reviews, worked = summary.snapshots / max(summary.partners, 1), cpu_seconds() - worked
    print(f"\n{partners:,} partners, {summary.snapshots:,} snapshots ({reviews:.1f} a partner) x {metrics} metrics")
    print(
        f"{minutes:.1f} minutes in all, {worked:.0f} CPU seconds; gate: {summary.gate}; {summary.archetypes_sentence}"
    )


def main() -> None:
    """Run what was asked for."""
    if sys.argv[1:2] == ["job"]:
        whole_job(int(sys.argv[2]) if len(sys.argv) > 2 else 100_000, Path(sys.argv[3]) if len(sys.argv) > 3 else None)
        return
    given = [int(value) for value in sys.argv[1:]]
    partners, reviews, metrics = (*given, *(100_000, 12, 40)[len(given) :])
    times: dict[str, float] = {}
    with phase("make the snapshots", times):
        data = _Data(made_up_snapshots(partners, reviews, metrics), features(metrics), PotentialSpec())
    with phase("plain LightGBM fit", times):
        plain_fit(data.snapshots[data.snapshots["label"].notna()], data.features, data.spec)
    model, found = learn(data, times)
    total = sum(seconds for name, seconds in times.items() if name not in BESIDE)
    ratio = times["train the potential model"] / times["plain LightGBM fit"]
    with phase("score everyone", times):
        potential.predict(model, data.current)
    print(f"\n{partners:,} partners x {reviews} as-of dates x {metrics} metrics: {total / 60:.1f} minutes in all")
    print(f"train / plain fit = {ratio:.1f}; all / plain fit = {total / times['plain LightGBM fit']:.1f}")
    print(f"gate: {model.source}; archetypes: {len(found.archetypes)}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
