"""A small review that comes in blocks of partners, which note that they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from tests.store.review_example import reasons, recommendations, review
from tierwise.store import Block, Review
from tierwise.tables.output_schemas import sort_rows

PARTNERS = 25


def tables(partners: int = PARTNERS) -> dict[str, pd.DataFrame]:
    """Tables with one, two and no row per partner, one with further columns, and one that is not by partner."""
    twice = pd.concat([reasons(partners).assign(rank=rank) for rank in (1, 2)], ignore_index=True)
    ids = recommendations(partners)["partner_id"]
    quarantine = pd.DataFrame({"table": "deals", "row": [3, 7]}).assign(
        key="D1", rule="unique", column="deal_id", value="D1", message="=the same deal twice"
    )
    return {
        "metrics": pd.DataFrame({"partner_id": ids, "orders_4q": np.arange(partners) / 3}),
        "quarantine": quarantine,
        "reasons": sort_rows("reasons", twice),
        "recommendations": recommendations(partners),
        "roadmap": empty_roadmap(),
    }


def empty_roadmap() -> pd.DataFrame:
    texts, numbers = (
        ("partner_id", "metric", "reaches_tier"),
        ("from", "to", "effort", "most_per_quarter", "robustness"),
    )
    columns = {
        **dict.fromkeys(texts, "str"),
        **dict.fromkeys(("plan", "step", "quarters"), "int64"),
        **dict.fromkeys(numbers, "float64"),
        **dict.fromkeys(("by_when", "expires_on"), "datetime64[us]"),
        "valid": "bool",
    }
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def whole(run_id: str = "run-1", partners: int = PARTNERS, **changes: object) -> Review:
    return review(run_id, **{"tables": tables(partners), **changes})


def blocks_of(made: Review, count: int, called: Callable[[int], None] = lambda number: None) -> list[Block]:
    """Cut a review into blocks of about as many partners; `called` is told the number of each block that is made."""
    ids = np.array_split(made.tables["recommendations"]["partner_id"].to_numpy(), count)

    def block(number: int) -> Block:
        def make() -> Mapping[str, pd.DataFrame]:
            called(number)
            return {name: _rows_of(frame, ids[number - 1], number) for name, frame in made.tables.items()}

        return make

    return [block(number) for number in range(1, count + 1)]


def _rows_of(frame: pd.DataFrame, ids: np.ndarray, number: int) -> pd.DataFrame:
    if "partner_id" in frame:
        return frame[frame["partner_id"].isin(ids)]
    return frame if number == 1 else frame.iloc[:0]
