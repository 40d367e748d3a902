"""Which columns the trees see."""

import numpy as np
import pandas as pd

from tests.potential.channel import FEATURES, make_snapshots
from tierwise.potential.trees import columns_of


def test_an_attribute_that_all_but_names_partners_is_left_out():
    rows = make_snapshots(partners=100, reviews=2)
    number = rows["partner_id"].str[1:].astype(int)
    named = rows.assign(region=(number // 4).astype("str"), partner_type=(number % 4).astype("str"))
    assert list(columns_of(named, FEATURES, FEATURES.attributes).levels) == ["partner_type"]


def test_metrics_that_do_not_vary_and_attributes_of_one_level_are_left_out():
    rows = make_snapshots(partners=100, reviews=2).assign(chance=1.0, region="EMEA")
    found = columns_of(rows, FEATURES, FEATURES.attributes)
    assert "chance" not in found.metrics
    assert list(found.levels) == ["partner_type"]


def test_unknown_and_unseen_levels_have_no_code():
    rows = make_snapshots(partners=100, reviews=2)
    found = columns_of(rows, FEATURES, FEATURES.attributes)
    odd = pd.concat([rows.head(1).assign(region=None), rows.head(1).assign(region="Mars")], ignore_index=True)
    matrix = found.matrix(odd)
    assert np.isnan(matrix[:, list(found.names).index("region")]).all()
