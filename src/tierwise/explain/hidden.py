"""What stays in the house: a sentence for a partner that names an internal figure is replaced by a nameless one."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tierwise.explain.sentences import NAMELESS, NAMELESS_OTHERWISE

if TYPE_CHECKING:
    import pandas as pd

SAFE = "partner_safe_sentence"


def names_hidden(sentence: str, hidden: Collection[str]) -> bool:
    """Whether a sentence holds one of the texts that stay in the house, whatever its capitals."""
    said = sentence.casefold()
    return any(text.casefold() in said for text in hidden)


def without_hidden(rows: pd.DataFrame, hidden: Collection[str]) -> pd.DataFrame:
    """Replace what partners would read where it names what stays in the house.

    Args:
        rows: Worded reasons or plans: `code`, `partner_safe_sentence`.
        hidden: The texts that stay in the house.
    """
    if not hidden or rows.empty:
        return rows
    safe = [
        NAMELESS.get(code, NAMELESS_OTHERWISE) if names_hidden(sentence, hidden) else sentence
        for code, sentence in zip(rows["code"].tolist(), rows[SAFE].tolist(), strict=True)
    ]
    return rows.assign(**{SAFE: rows[SAFE].mask(rows[SAFE].notna(), safe)})
