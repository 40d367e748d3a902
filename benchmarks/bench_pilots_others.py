"""Pilots beside tea-tasting and statsmodels: the same inputs, and the time they take. Sections of `bench_pilots.py`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
import pandas as pd
from figures import Figure

from tests.pilots import known_truth as truth
from tierwise import pilots
from tierwise.config.pilot import AnalysisSettings, OutcomeSettings

SEED = 20261122
PARTNERS, METRICS = 100_000, 10
TIMES = 3


def large_pilot() -> pd.DataFrame:
    """100,000 partners in three arms with ten metrics, a covariate and three regions."""
    rng = np.random.default_rng(SEED)
    arm = rng.permutation(np.resize(["control", "mdf", "sla"], PARTNERS))
    past = rng.lognormal(0, 1, PARTNERS)
    metrics = {f"metric_{place}": past * rng.lognormal(0, 0.5, PARTNERS) for place in range(METRICS)}
    ids = [f"p{place:06d}" for place in range(PARTNERS)]
    region = rng.choice(["n", "s", "w"], PARTNERS)
    return pd.DataFrame({"partner_id": ids, "arm": arm, "past": past, "region": region, **metrics})


def speed() -> Iterator[Figure]:
    """The analysis of 100,000 partners, 3 arms, 10 metrics, and the same regressions by statsmodels' formulas."""
    import statsmodels.formula.api as smf

    frame = large_pilot()
    names = [f"metric_{place}" for place in range(METRICS)]
    settings = AnalysisSettings(
        control="control",
        outcomes={name: OutcomeSettings(role="primary") for name in names},
        covariates=("past",),
        strata=("region",),
    )
    centred = frame.assign(past=frame["past"] - frame["past"].mean())

    def theirs() -> None:
        for name in names:
            smf.ols(f"{name} ~ arm * (past + region)", centred).fit(cov_type="HC2")

    ours, ours_cpu = _seconds(lambda: pilots.analyse(frame, settings))
    _, others_cpu = _seconds(theirs)
    says = f"{PARTNERS:,} partners, 3 arms, {METRICS} metrics, median of {TIMES}"
    yield Figure(f"{says}: seconds", ours, band=(0, 20))
    yield Figure(f"{says}: seconds of CPU, whatever else the machine does", ours_cpu, band=(0, 20))
    yield Figure(f"{says}: statsmodels' seconds of CPU for its regressions alone", others_cpu)
    yield Figure(f"{says}: times as fast as statsmodels", others_cpu / ours_cpu)


def _seconds(run: Callable[[], object]) -> tuple[float, float]:
    """The median time on the clock, and of CPU."""
    found = []
    for _ in range(TIMES):
        start, used = time.perf_counter(), time.process_time()
        run()
        found.append((time.perf_counter() - start, time.process_time() - used))
    return median(wall for wall, _ in found), median(cpu for _, cpu in found)


def beside() -> Iterator[Figure]:
    """The largest relative gap to tea-tasting and statsmodels in estimates and errors of the same inputs."""
    import statsmodels.formula.api as smf
    import tea_tasting as tt

    frame, _ = truth.reseller_frame(2000, 0.3, np.random.default_rng(SEED))
    frame = frame.assign(deals=np.random.default_rng(1).poisson(3, 2000) + 1)
    [ratio] = pilots.analyse(frame, truth.settings(outcomes={"revenue": {"per": "deals"}})).results
    [plain] = pilots.analyse(frame, truth.settings()).results
    [lin] = pilots.analyse(frame, truth.settings(covariates=("past",))).results
    experiment = tt.Experiment(
        {
            "plain": tt.Mean("revenue"),
            "ratio": tt.RatioOfMeans("revenue", "deals"),
            "cuped": tt.Mean("revenue", "past"),
        },
        variant="arm",
    )
    theirs = experiment.analyze(frame, control="control")
    centred = frame.assign(c=frame["past"] - frame["past"].mean(), t=(frame["arm"] == "mdf").astype(float))
    fitted = smf.ols("revenue ~ t * c", centred).fit(cov_type="HC2")
    for name, row, effect, low in (
        ("difference in means, tea-tasting", plain, theirs["plain"].effect_size, theirs["plain"].effect_size_ci_lower),
        ("ratio of totals, tea-tasting", ratio, theirs["ratio"].effect_size, theirs["ratio"].effect_size_ci_lower),
        ("CUPED, tea-tasting", lin, theirs["cuped"].effect_size, theirs["cuped"].effect_size_ci_lower),
        ("Lin with HC2, statsmodels", lin, fitted.params["t"], fitted.conf_int().loc["t", 0]),
    ):
        value = row.effect()
        yield Figure(f"beside {name}: gap of the estimates", abs(value.estimate / effect - 1))
        yield Figure(f"beside {name}: gap of the lower ends, of the estimate", abs(value.low - low) / abs(effect))
