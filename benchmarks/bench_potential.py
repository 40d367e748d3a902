"""Potential on the real data sets, out of time: every candidate beside persistence, and what the gate chose.

Plain pandas metrics (tests/potential/rfm.py), so that the figures do not depend on the metric engine. BG/NBD +
Gamma-Gamma (`lifetimes`) is an oracle of development only and is left out where it is not installed. Prints tables;
`python benchmarks/bench_potential.py [DATA]`, by default the folder that `TIERWISE_DATA` names, else ../shared/data.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.potential.rfm import Events, features_of, read_adventureworks, read_cdnow, read_olist  # noqa: E402
from tierwise.config.load import load_workspace  # noqa: E402
from tierwise.config.model_spec import BacktestSpec, PotentialSpec, TreeSpec  # noqa: E402
from tierwise.jobs.accept import accepted_tables  # noqa: E402
from tierwise.jobs.init import InitRequest, init  # noqa: E402
from tierwise.jobs.progress import Steps, silent  # noqa: E402
from tierwise.jobs.snapshots import build_snapshots, model_features  # noqa: E402
from tierwise.potential import backtest, normalized_gini  # noqa: E402
from tierwise.potential.blend import fit_blend  # noqa: E402
from tierwise.potential.snapshots import closed, run_rate  # noqa: E402
from tierwise.potential.trees import TreeFit, TreeTask, columns_of, fit_trees  # noqa: E402

SPEC = PotentialSpec(backtest=BacktestSpec(origins=6, bootstraps=100))


def single_origin(name: str, events: Events, training: list[str], test: str) -> dict[str, object]:
    """Fit on closed labels and score one later date."""
    snapshots, rows = closed(events.snapshots(training), pd.Timestamp(test)), events.snapshots([test])
    features = features_of(rows)
    start = time.perf_counter()
    blend = fit_blend(snapshots, features, SPEC, 1)
    seconds = time.perf_counter() - start
    logged = np.log1p(snapshots["label"].to_numpy())
    columns = columns_of(snapshots, features, ())
    squared = fit_trees(snapshots, logged, columns, features, TreeFit(TreeTask("regression", 0.5), TreeSpec(), 1))
    predictions = {
        "persistence": rows["persistence"].to_numpy(), "run rate": run_rate(rows, "target"),
        "BG/NBD+GG": bg_nbd(events, pd.Timestamp(test), rows), "L2 on log1p": np.expm1(squared.raw(rows)),
        "GLM": blend.glm.log_prediction(rows), "LightGBM": blend.trees.raw(rows), "model": blend.predict(rows),
    }  # fmt: skip
    actual = rows["label"].to_numpy()
    ginis = {
        key: None if value is None else round(normalized_gini(actual, value), 4) for key, value in predictions.items()
    }
    level = {key: round(float(predictions[key].sum() / actual.sum()), 2) for key in ("L2 on log1p", "model")}
    return {"data": name, "as of": test, "partners": len(rows), **ginis, "level": level, "fit s": round(seconds, 1)}


def bg_nbd(events: Events, as_of: pd.Timestamp, rows: pd.DataFrame) -> np.ndarray | None:
    """Expected value by BG/NBD + Gamma-Gamma; None without the package or where it does not converge."""
    try:
        from lifetimes import BetaGeoFitter, GammaGammaFitter
        from lifetimes.utils import summary_data_from_transaction_data
    except ImportError:
        return None
    past = events.rows[events.rows["date"] <= as_of]
    past = past.groupby(["partner_id", "date"], as_index=False)["amount"].sum()
    try:
        found = summary_data_from_transaction_data(
            past, "partner_id", "date", "amount", observation_period_end=as_of, freq="D"
        )
        weeks = found.assign(recency=found["recency"] / 7, T=found["T"] / 7)
        counts = BetaGeoFitter(penalizer_coef=1e-3).fit(weeks["frequency"], weeks["recency"], weeks["T"])
        again = weeks[(weeks["frequency"] > 0) & (weeks["monetary_value"] > 0)]
        money = GammaGammaFitter(penalizer_coef=1e-3).fit(again["frequency"], again["monetary_value"])
        expected = counts.conditional_expected_number_of_purchases_up_to_time(
            26, weeks["frequency"], weeks["recency"], weeks["T"]
        )
        value = expected * money.conditional_expected_average_profit(weeks["frequency"], weeks["monetary_value"])
    except (ValueError, TypeError, AttributeError, ImportError) as error:
        print(f"BG/NBD + Gamma-Gamma did not run: {type(error).__name__}: {error}")
        return None
    return value.reindex(rows["partner_id"]).fillna(0.0).to_numpy()


def rolling(name: str, events: Events, dates: list[str], as_of: str) -> None:
    """Print the gate and the Ginis of a rolling-origin back-test."""
    snapshots = events.snapshots(dates)
    result = backtest(snapshots, features_of(snapshots), SPEC, pd.Timestamp(as_of), 1)
    gini = result.scores[result.scores["score"] == "gini"]
    table = gini.pivot_table(index="origin", columns="candidate", values="value").round(4)
    print(f"\n{name}: normalised Gini per origin, labels closed by {as_of}")
    print(
        table.merge(
            result.gate.set_index("origin")[["chosen", "reason"]], left_index=True, right_index=True, how="left"
        )
    )
    coverage = result.coverage.assign(hits=result.coverage["coverage"] * result.coverage["partners"])
    summed = coverage.groupby("origin")[["hits", "partners"]].sum()
    print("coverage of the 80 % interval:", (summed["hits"] / summed["partners"]).round(3).to_dict())


def data_folder(given: str | None = None) -> Path | None:
    """The folder of the real data; None, and said, where there is none."""
    data = Path(given or os.environ.get("TIERWISE_DATA") or ROOT.parent / "shared" / "data")
    if data.is_dir():
        return data
    print(f"no real data at {data.name!r}: nothing to measure")
    return None


def synthetic(partners: int = 600, seed: int = 1) -> None:
    """Print every candidate on the synthetic channel beside its oracle, at the last completed review."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "demo"
        init(InitRequest(folder, "demo", partners=partners, seed=seed))
        workspace = load_workspace(folder)
        with accepted_tables(workspace, date(2026, 10, 15), Steps(silent, 2)) as (engine, _):
            snapshots = build_snapshots(engine, workspace, date(2026, 9, 30))
        truth = pd.read_parquet(folder / "truth" / "potential.parquet")
    result = backtest(snapshots, model_features(workspace), SPEC, pd.Timestamp("2026-09-30"), 1)
    gini = result.scores[(result.scores["score"] == "gini") & (result.scores["origin"] != "all")]
    table = gini.pivot_table(index="origin", columns="candidate", values="value")
    truth["origin"] = pd.to_datetime(truth["as_of"]).dt.strftime("%Y-%m-%d")
    both = result.predictions.merge(truth[["origin", "partner_id", "oracle_usd"]], on=["origin", "partner_id"])
    table["oracle"] = pd.Series(
        {
            day: normalized_gini(rows["actual"].to_numpy(), rows["oracle_usd"].to_numpy())
            for day, rows in both.groupby("origin")
        }
    )
    print("\nsynthetic channel: normalised Gini per origin, beside the oracle that knows all that is hidden")
    print(table.round(3).to_string())


def main() -> None:
    """Run all of it."""
    data = data_folder(sys.argv[1] if len(sys.argv) > 1 else None)
    if data is None:
        return
    pd.set_option("display.width", 200, "display.max_columns", 30)
    cdnow, olist, resellers = read_cdnow(data), read_olist(data), read_adventureworks(data)
    rows = [
        single_origin("CDNOW 26 weeks", cdnow, ["1997-05-31", "1997-07-02"], "1997-12-31"),
        single_origin("Olist 26 weeks", olist, ["2017-03-31", "2017-06-30"], "2017-12-31"),
    ]
    print(pd.DataFrame(rows).to_string(index=False))
    quarters = ["2017-01-31", "2017-03-31", "2017-06-30", "2017-09-30", "2017-12-31", "2018-02-28"]
    rolling("Olist 26 weeks", olist, quarters, "2018-08-31")
    starts = [str(day.date()) for day in pd.date_range("2011-06-30", "2013-03-31", freq="QE")]
    rolling("AdventureWorks 2 quarters", resellers, [*starts, "2013-05-31"], "2013-11-30")
    synthetic()


if __name__ == "__main__":
    main()
