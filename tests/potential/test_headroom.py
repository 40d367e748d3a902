import numpy as np
import pandas as pd

from tierwise.config.model_spec import HeadroomSpec
from tierwise.potential.headroom import headroom, headroom_table

SPEC = HeadroomSpec(partners=10)
BY = ("region", "partner_type")


def partners(regions: dict[str, int]) -> tuple[pd.DataFrame, np.ndarray]:
    region = np.repeat(list(regions), list(regions.values()))
    rows = pd.DataFrame({"region": pd.Series(region, dtype="str"), "partner_type": "Reseller"})
    return rows, np.arange(1.0, len(rows) + 1)


def test_the_reference_is_what_the_top_tenth_attain_with_finite_sample_care():
    rows, current = partners({"AMER": 19})
    table = headroom_table(rows, current, BY, SPEC)
    # ceil(20 x .9) = the 18th smallest of 19.
    assert table.set_index("depth").loc[2, "reference"] == 18
    np.testing.assert_array_equal(headroom(rows, current, BY, table)[[0, 17, 18]], [17, 0, 0])


def test_a_small_group_falls_back_to_a_wider_one():
    rows, current = partners({"AMER": 40, "LATAM": 4})
    table = headroom_table(rows, current, BY, SPEC)
    everyone = table.set_index("depth").loc[0, "reference"]
    assert "all | LATAM" not in set(table["group"])
    assert headroom(rows, np.zeros(44), BY, table)[43] == everyone
    assert headroom(rows, np.zeros(44), BY, table)[0] == 37


def test_unknown_attributes_are_a_group_of_their_own_and_unseen_ones_fall_back():
    rows, current = partners({"AMER": 20})
    table = headroom_table(rows, current, BY, SPEC)
    unseen = pd.DataFrame({"region": pd.Series([None, "Mars"], dtype="str"), "partner_type": "Reseller"})
    everyone = table.set_index("depth").loc[0, "reference"]
    np.testing.assert_array_equal(headroom(unseen, np.zeros(2), BY, table), [everyone, everyone])


def test_nobody_to_compare_with_means_unknown():
    rows, current = partners({"AMER": 0})
    table = headroom_table(rows, current, BY, SPEC)
    later, _ = partners({"AMER": 2})
    assert np.isnan(headroom(later, np.zeros(2), BY, table)).all()
