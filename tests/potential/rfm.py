"""Plain recency, frequency and money metrics of real event files, in pandas: an engine-free second view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tierwise.config.model_spec import Feature, FeatureSet

NOT_FEATURES = ("as_of", "partner_id", "first_seen", "persistence", "label", "label_until", "run_rate")
WINDOWS_DAYS = (30, 60, 91, 182, 364)
UP = ("revenue", "orders", "active", "largest", "mean", "rate")


@dataclass(frozen=True)
class Events:
    """Dated amounts: columns partner_id, date, amount; `horizon` of the potential."""

    rows: pd.DataFrame
    horizon: pd.DateOffset

    def snapshots(self, dates: list[str]) -> pd.DataFrame:
        """Metric rows with labels of several as-of dates."""
        return pd.concat([self._one(pd.Timestamp(date)) for date in dates], ignore_index=True)

    def _one(self, as_of: pd.Timestamp) -> pd.DataFrame:
        past = self.rows[self.rows["date"] <= as_of]
        by = past.groupby("partner_id")
        frame = pd.DataFrame({"first_seen": by["date"].min()})
        frame["tenure_days"] = (as_of - frame["first_seen"]).dt.days.astype(float)
        frame["idle_days"] = (as_of - by["date"].max()).dt.days.astype(float)
        frame["revenue_life"] = by["amount"].sum()
        frame["orders_life"] = by["date"].nunique().astype(float)
        frame["largest_day"] = past.groupby(["partner_id", "date"])["amount"].sum().groupby("partner_id").max()
        frame["mean_day"] = frame["revenue_life"] / frame["orders_life"]
        frame["rate_life"] = frame["revenue_life"] / (frame["tenure_days"] + 30)
        for days in WINDOWS_DAYS:
            recent = past[past["date"] > as_of - pd.Timedelta(days=days)].groupby("partner_id")
            frame[f"revenue_{days}d"], frame[f"orders_{days}d"] = recent["amount"].sum(), recent["date"].nunique()
        year = past[past["date"] > as_of - pd.Timedelta(days=364)]
        frame["active_months"] = ((as_of - year["date"]).dt.days // 30).groupby(year["partner_id"]).nunique()
        frame = frame.fillna(0.0)
        frame["gap_ratio"] = frame["idle_days"] / (frame["tenure_days"] / frame["orders_life"] + 1)
        return self._labelled(frame, as_of)

    def _labelled(self, frame: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
        until = as_of + self.horizon
        value = self.between(as_of - self.horizon, as_of)
        frame["target"] = frame["persistence"] = value.reindex(frame.index).fillna(0.0)
        frame["label"] = self.between(as_of, until).reindex(frame.index).fillna(0.0)
        frame["label_until"] = until
        frame.insert(0, "as_of", as_of)
        return frame.rename_axis("partner_id").reset_index().astype({"as_of": "datetime64[us]"})

    def between(self, after: pd.Timestamp, until: pd.Timestamp) -> pd.Series:
        """Amount per partner in (after, until]."""
        inside = self.rows[(self.rows["date"] > after) & (self.rows["date"] <= until)]
        return inside.groupby("partner_id")["amount"].sum()


def features_of(frame: pd.DataFrame) -> FeatureSet:
    """Directions by the names of the metrics."""
    names = ["target", *(name for name in frame.columns if name not in (*NOT_FEATURES, "target"))]
    directions = {name: "up" if name.startswith((*UP, "target")) else "none" for name in names} | {"idle_days": "down"}
    return FeatureSet(tuple(Feature(name, direction=directions[name]) for name in names), "target")


def read_cdnow(data: Path) -> Events:
    """CDNOW, horizon 26 weeks."""
    path = data / "cdnow" / "CDNOW_master.txt"
    names = ["partner_id", "date", "number", "amount"]
    rows = pd.read_csv(path, sep=r"\s+", skiprows=1, header=None, names=names, dtype={"partner_id": "str"})
    rows["date"] = pd.to_datetime(rows["date"].astype(str), format="%Y%m%d")
    return Events(rows, pd.DateOffset(days=182))


def read_olist(data: Path) -> Events:
    """Olist sellers by shipping limit, horizon 26 weeks; the four rows dated 2020 are errors."""
    rows = pd.read_parquet(data / "olist_marketplace" / "olist_order_items_dataset.parquet")
    rows = rows.rename(columns={"seller_id": "partner_id", "shipping_limit_date": "date", "price": "amount"})
    rows["date"] = rows["date"].dt.normalize()
    return Events(rows[rows["date"] < "2020-01-01"], pd.DateOffset(days=182))


def read_adventureworks(data: Path) -> Events:
    """AdventureWorks resellers, horizon two quarters."""
    rows = pd.read_parquet(data / "adventureworks_dw" / "FactResellerSales.parquet")
    rows = rows.rename(columns={"SalesAmount": "amount"}).assign(partner_id=rows["ResellerKey"].astype(str))
    rows["date"] = pd.to_datetime(rows["OrderDate"], format="mixed").dt.normalize()
    return Events(rows[["partner_id", "date", "amount"]], pd.DateOffset(months=6))
