from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.review_example import AS_OF, reasons, recommendations
from tierwise.tables.output_schemas import OUTPUT_TABLES, OutputTableError, sort_rows, to_output_table

EXAMPLES = {pa.string(): "x", pa.float64(): 1.5, pa.int64(): 1, pa.bool_(): True, pa.date32(): pd.Timestamp(AS_OF)}


def table(name: str, frame: pd.DataFrame, scores: tuple[str, ...] = ()) -> pa.Table:
    return to_output_table(name, frame, "run-1", AS_OF, scores)


def example(name: str) -> pd.DataFrame:
    """One row of a table without the columns that the run gives."""
    columns = OUTPUT_TABLES[name].columns.items()
    return pd.DataFrame({column: [EXAMPLES[kind]] for column, kind in columns if column not in ("run_id", "as_of")})


@pytest.mark.parametrize("name", OUTPUT_TABLES)
def test_every_table_takes_a_row_and_starts_with_run_date_and_key(name):
    arrow = table(name, example(name))
    shape = OUTPUT_TABLES[name]
    assert arrow.num_rows == 1
    assert arrow.column_names[: 2 + len(shape.key)] == ["run_id", "as_of", *shape.key]
    assert arrow["as_of"].to_pylist() == [AS_OF]
    assert arrow.schema.metadata is None


@pytest.mark.parametrize("name", OUTPUT_TABLES)
def test_every_table_may_be_empty(name):
    arrow = table(name, example(name).iloc[:0])
    assert (arrow.num_rows, arrow.schema) == (0, OUTPUT_TABLES[name].schema())


@pytest.mark.parametrize("name", OUTPUT_TABLES)
def test_every_table_refuses_a_key_that_is_there_twice(name):
    with pytest.raises(OutputTableError, match=f"{name} has the key .* twice at rows 0 and 1"):
        table(name, pd.concat([example(name)] * 2))


@pytest.mark.parametrize("name", OUTPUT_TABLES)
def test_every_table_refuses_a_missing_column(name):
    last = list(OUTPUT_TABLES[name].columns)[-1]
    with pytest.raises(OutputTableError, match=f"{name} lacks {last}"):
        table(name, example(name).drop(columns=last))


def test_design_columns_of_recommendations():
    wanted = (
        "run_id as_of partner_id current_tier eligible_tier recommended_tier action rule reason_code archetype_id"
        " archetype archetype_strength archetype_reason nearest_other"
        " potential potential_low potential_high potential_source headroom value"
        " next_tier approval_role model_version policy_version data_fingerprint"
    )
    assert set(wanted.split()) <= set(table("recommendations", recommendations(), ("value",)).column_names)


def test_a_column_that_nobody_declared_is_refused():
    with pytest.raises(OutputTableError, match="unknown columns value"):
        table("recommendations", recommendations())


@pytest.mark.parametrize(("scores", "message"), [(("potential",), "potential are taken"), (("a", "a"), "given twice")])
def test_a_score_needs_a_name_of_its_own(scores, message):
    with pytest.raises(OutputTableError, match=message):
        table("recommendations", recommendations(), scores)


def test_only_recommendations_take_scores():
    with pytest.raises(OutputTableError, match="takes no score columns"):
        table("reasons", reasons(), ("value",))


def test_an_unknown_table_is_refused_with_the_known_ones():
    with pytest.raises(OutputTableError, match=r"'moves' is no output table; there are recommendations, criteria"):
        table("moves", reasons())


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("potential", "12", "recommendations.potential is .*string, the schema says double"),
        ("archetype", 3, "recommendations.archetype is int64, the schema says string"),
        ("potential", pd.Timestamp("2026-01-01"), "recommendations.potential is timestamp"),
        ("archetype", b"raw", "recommendations.archetype is binary"),
    ],
)
def test_a_wrong_type_is_refused_even_where_it_could_be_converted(column, value, message):
    with pytest.raises(OutputTableError, match=message):
        table("recommendations", recommendations().assign(**{column: value}), ("value",))


def test_mixed_types_in_one_column_are_refused():
    mixed = recommendations().assign(archetype=pd.Series(["a", 1, None], dtype=object))
    with pytest.raises(OutputTableError, match=r"recommendations\.archetype does not hold string"):
        table("recommendations", mixed, ("value",))


def test_a_rank_with_a_fraction_is_refused():
    with pytest.raises(OutputTableError, match=r"reasons\.rank does not hold int64"):
        table("reasons", reasons().assign(rank=1.5))


def test_a_needed_value_may_not_be_null():
    frame = recommendations().assign(action=["promote", None, "hold"])
    with pytest.raises(OutputTableError, match=r"recommendations\.action is null in row 1"):
        table("recommendations", frame, ("value",))


def test_unsorted_rows_are_refused_with_the_pair():
    with pytest.raises(OutputTableError, match=r"not sorted at rows 0 and 1: .*P00002.* then .*P00001"):
        table("recommendations", recommendations().iloc[::-1], ("value",))


def test_missing_values_become_null_and_the_frame_is_unchanged():
    frame = recommendations()
    before = frame.copy()
    arrow = table("recommendations", frame, ("value",))
    assert arrow["potential_low"].null_count == 3
    assert arrow["recommended_tier"].null_count == 3
    pd.testing.assert_frame_equal(frame, before)


def test_a_frame_may_carry_its_own_run_and_date():
    frame = reasons().assign(run_id="other", as_of=pd.Timestamp("2025-12-31"))
    arrow = table("reasons", frame)
    assert (arrow["run_id"][0].as_py(), arrow["as_of"][0].as_py()) == ("other", date(2025, 12, 31))


def test_categories_are_texts():
    frame = reasons().assign(code=pd.Categorical(["a", "b", "a"]))
    assert table("reasons", frame)["code"].to_pylist() == ["a", "b", "a"]


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(1, 4)), unique=True, max_size=30))
def test_sorting_and_checking_agree_on_any_text(keys):
    frame = pd.DataFrame({"partner_id": [key[0] for key in keys], "rank": [key[1] for key in keys]}, dtype=object)
    frame = frame.astype({"partner_id": "str", "rank": np.int64})
    frame = frame.assign(code="c", sentence="s", partner_safe_sentence="p").astype({"code": "str"})
    ordered = sort_rows("reasons", frame)
    arrow = table("reasons", ordered)
    found = list(zip(arrow["partner_id"].to_pylist(), arrow["rank"].to_pylist(), strict=True))
    assert found == sorted(keys)
