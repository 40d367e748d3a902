"""The summary of one review: who is where, who moves and why, and which files hold it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from textwrap import wrap
from typing import Any

import pandas as pd

from tierwise.explain.figures import in_sentence
from tierwise.reports.partner_words import ACTION_WORDS, MEANINGS, action_words
from tierwise.reports.text_table import text_table

WIDTH = 118
_BOUND_BLANK = "\u00a0"
_AMOUNT = re.compile(r"\b[A-Z]{3} -?[\d.,]+(?: (?:k|m|bn)\b)?|[\d.,]+ %")


@dataclass(frozen=True)
class Move:
    """One proposed move, as a person reads it."""

    partner_id: str
    name: str
    action: str
    from_tier: str
    to_tier: str
    figure: str
    reason: str

    @property
    def shown(self) -> str:
        """The partner's name and id; the id alone where it has no name."""
        return self.partner_id if self.name == self.partner_id else f"{self.name} ({self.partner_id})"


@dataclass(frozen=True)
class ReviewSummary:
    """What a scoring run found.

    Attributes:
        run_id: The run; the same inputs give the same run.
        as_of: The as-of date.
        model_version: The model in force.
        policy_version: The policy in force.
        composition: One row per tier from the top: `tier, partners, share, before, revenue_share`.
        actions: One row per action: `action, partners`.
        moves: The largest moves, the largest first.
        figure_title: The title of the figure that ranks the moves.
        output: The folder of the tables; None for a dry run.
        row_counts: Rows of each table.
        held: Partners who stay where they are although their figures say another tier, by the rule that holds them:
            `rule, partners`, the most first.
    """

    run_id: str
    as_of: date
    model_version: str
    policy_version: str
    composition: pd.DataFrame
    actions: pd.DataFrame
    moves: tuple[Move, ...]
    figure_title: str
    output: Path | None
    row_counts: dict[str, int]
    held: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"rule": [], "partners": []}))


def as_payload(review: ReviewSummary) -> dict[str, Any]:
    """Give the summary as plain values, for JSON."""
    return {
        "run_id": review.run_id,
        "as_of": review.as_of.isoformat(),
        "model_version": review.model_version,
        "policy_version": review.policy_version,
        "composition": _records(review.composition),
        "actions": _records(review.actions),
        "held": _records(review.held),
        "moves": [vars(move) for move in review.moves],
        "output": None if review.output is None else str(review.output),
        "row_counts": review.row_counts,
    }


def as_text(review: ReviewSummary) -> str:
    """Give the summary as text for a terminal."""
    made_from = f"run {review.run_id}, model {review.model_version}, policy {review.policy_version}"
    head = f"Review as of {review.as_of} ({made_from})"
    parts = [head, composition_text(review), actions_text(review)]
    if review.moves:
        parts.append(moves_text(review))
    parts.append(_where(review))
    return "\n\n".join(parts)


def composition_text(review: ReviewSummary) -> str:
    """The tiers from the top, with partners now and before, and their share of revenue."""
    rows = [
        (row.tier, f"{row.partners:,}", f"{row.share:.1%}", _count(row.before), _share(row.revenue_share))
        for row in review.composition.itertuples()
    ]
    header = ("tier", "partners", "share", "before", "share of revenue")
    return text_table(header, rows, right={1, 2, 3, 4})


def actions_text(review: ReviewSummary) -> str:
    """How many partners each action is proposed for, and which rules hold partners whose figures say another tier."""
    counts: dict[str, int] = dict(zip(review.actions["action"], review.actions["partners"].tolist(), strict=True))
    rows = [(action_words(name), f"{counts[name]:,}", MEANINGS.get(name, "")) for name in _in_order(counts)]
    actions = "Actions proposed:\n" + text_table(("action", "partners", "what it means"), rows, right={1})
    if review.held.empty:
        return actions
    rules = [(str(row.rule).replace("_", " "), f"{row.partners:,}") for row in review.held.itertuples()]
    held = f"{review.held['partners'].sum():,} partners stay in another tier than their figures alone say, by rule:"
    return f"{actions}\n\n{held}\n" + text_table(("rule", "partners"), rules, right={1})


def _in_order(counts: Mapping[str, int]) -> list[str]:
    """The actions in the order in which people look at them; one that has no words comes last."""
    return [*(name for name in ACTION_WORDS if name in counts), *sorted(counts.keys() - ACTION_WORDS.keys())]


def moves_text(review: ReviewSummary) -> str:
    """The largest moves, each with its reason."""
    lines = [f"The largest moves by {in_sentence(review.figure_title)}:"]
    for move in review.moves:
        lines.append(f"  {move.shown}: {action_words(move.action)}, {_way(move)}; {move.figure}")
        lines += _wrapped(move.reason)
    return "\n".join(lines)


def _wrapped(sentence: str) -> list[str]:
    """Break a sentence into indented lines, but never between a currency, its amount and `k` or `m`."""
    bound = _AMOUNT.sub(lambda match: match[0].replace(" ", _BOUND_BLANK), sentence)
    lines = wrap(bound, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return [line.replace(_BOUND_BLANK, " ") for line in lines]


def _way(move: Move) -> str:
    return move.to_tier if move.action == "place" else f"{move.from_tier} -> {move.to_tier}"


def _where(review: ReviewSummary) -> str:
    counts = ", ".join(f"{name} {rows:,}" for name, rows in review.row_counts.items())
    if review.output is None:
        return f"dry run: nothing written ({counts} rows)"
    return f"tables in {review.output}: {counts} rows"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records = frame.to_dict(orient="records")
    return [{str(key): None if pd.isna(value) else value for key, value in record.items()} for record in records]


def _count(value: Any) -> str:
    return "-" if pd.isna(value) else f"{int(value):,}"


def _share(value: Any) -> str:
    return "-" if pd.isna(value) else f"{value:.1%}"
