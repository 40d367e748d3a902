"""Fill the sentences of the catalog, many partners at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter

import numpy as np
import pandas as pd

from tierwise.explain.figures import figure
from tierwise.explain.sentences import PHRASES, SENTENCES

COLUMNS = ("partner_id", "code", "sentence", "partner_safe_sentence")


def said(partner_ids: pd.Series, codes: pd.Series, words: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Say each partner's reason in both wordings.

    Args:
        partner_ids: One per row.
        codes: The reason code of each row, one of `SENTENCES`.
        words: What fills each placeholder, one text per row.

    Returns:
        Columns `COLUMNS`, in the order given.
    """
    of_code = codes.to_numpy(dtype=object)
    manager, partner = (np.empty(len(of_code), dtype=object) for _ in range(2))
    for code in sorted(set(of_code)):
        rows = np.flatnonzero(of_code == code)
        manager[rows] = filled(SENTENCES[code].manager, words, rows)
        partner[rows] = filled(SENTENCES[code].partner_safe, words, rows)
    columns = {"partner_id": partner_ids.to_numpy(dtype=object), "code": of_code}
    return pd.DataFrame({**columns, "sentence": manager, "partner_safe_sentence": partner})


def filled(sentence: str, words: Mapping[str, Sequence[str]], rows: Sequence[int] | np.ndarray) -> list[str]:
    """Fill one sentence for the rows given."""
    pieces = [(text, name) for text, name, _, _ in Formatter().parse(sentence)]
    columns = [[words[name][row] for row in rows] for _, name in pieces if name]
    if not columns:
        return [sentence] * len(rows)
    template = "".join(text.replace("%", "%%") + ("%s" if name else "") for text, name in pieces)
    return [template % values for values in zip(*columns, strict=True)]


def texts(column: pd.Series, absent: str) -> list[str]:
    """A column as texts, with `absent` where it is missing."""
    return [absent if value is None or value is pd.NA or value != value else str(value) for value in column.tolist()]


def figures(values: pd.Series, units: Sequence[str]) -> list[str]:
    """Write values with their units."""
    return [figure(value, unit) for value, unit in zip(values.tolist(), units, strict=True)]


def joined(parts: Sequence[str]) -> str:
    """Join texts as in a sentence."""
    return PHRASES["and"].join(parts)
