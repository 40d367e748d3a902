"""UCI Wholesale: `Channel`, never shown to the fit, must come out; skipped where the data is absent."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from tierwise.archetypes import assign, fit
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet

SPENDS = ("Fresh", "Milk", "Grocery", "Frozen", "Detergents_Paper", "Delicassen")
FEATURES = FeatureSet(tuple(Feature(name, unit="EUR") for name in SPENDS), "total")


@pytest.fixture(scope="module")
def clients(shared_data: Path) -> pd.DataFrame:
    rows = pd.read_csv(shared_data / "uci_wholesale_customers" / "wholesale_customers.csv")
    return rows.assign(
        partner_id=[f"C{number:03d}" for number in range(len(rows))], total=rows[list(SPENDS)].sum(axis=1)
    )


@pytest.fixture(scope="module")
def found(clients: pd.DataFrame) -> pd.Series:
    return assign(fit(clients, FEATURES, ArchetypeSpec(), 1), clients)["archetype_id"]


def test_the_sales_channel_comes_out(clients: pd.DataFrame, found: pd.Series):
    assert found.notna().all()
    assert adjusted_rand_score(clients["Channel"], found) >= 0.5


def test_rows_columns_and_cents_change_nothing(clients: pd.DataFrame, found: pd.Series):
    cents = clients.assign(**{name: clients[name] * 100 for name in (*SPENDS, "total")})
    shuffled = cents.sample(frac=1, random_state=2)[cents.columns[::-1]]
    shuffled = shuffled.assign(partner_id=[f"X{number}" for number in np.arange(len(shuffled))])
    again = assign(fit(shuffled, FEATURES, ArchetypeSpec(), 1), shuffled)["archetype_id"].set_axis(shuffled.index)
    assert adjusted_rand_score(found, again.sort_index()) == 1
