"""Arrow columns made from NumPy arrays without a Python loop over rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PARTNER_DIGITS = 7


def numbered(prefix: str, numbers: Integers, digits: int) -> pa.Array:
    """Text such as `P0000042`."""
    padded = pc.utf8_lpad(pa.array(numbers, pa.int64()).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(prefix, padded, "")


def numbered_within(prefix: str, partners: Integers, numbers: Integers) -> pa.Array:
    """Text such as `D0000042-0007`: the seventh of partner 42."""
    return pc.binary_join_element_wise(numbered(prefix, partners, PARTNER_DIGITS), numbered("", numbers, 4), "-")


def partner_ids(numbers: Integers) -> pa.Array:
    """The ids of partners by their number."""
    return numbered("P", numbers, PARTNER_DIGITS)


def dates(days: Integers) -> pa.Array:
    """Days since 1970-01-01 as dates."""
    return pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())


def dates_or_empty(days: Integers, given: Flags) -> pa.Array:
    """Days since 1970-01-01 as dates, empty where there is none."""
    return pa.array(np.where(given, days, 0).astype(np.int32), pa.int32(), mask=~given).cast(pa.date32())


def names(choices: Sequence[str], index: Integers) -> pa.Array:
    """The chosen name of each row."""
    return pa.array(list(choices), pa.string()).take(pa.array(index, pa.int64()))


def amounts(cents: Integers) -> pa.Array:
    """Hundredths as exact decimals with two places."""
    pairs = np.empty((len(cents), 2), dtype="<i8")
    pairs[:, 0] = cents
    pairs[:, 1] = cents >> 63
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(pairs.tobytes())])


def sequence_within(groups: Integers) -> Integers:
    """1, 2, 3, ... within each run of equal values of a sorted array."""
    if len(groups) == 0:
        return groups.copy()
    positions = np.arange(len(groups), dtype=np.int64)
    begins = np.concatenate(([True], groups[1:] != groups[:-1]))
    return positions - np.maximum.accumulate(np.where(begins, positions, 0)) + 1
