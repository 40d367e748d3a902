"""One-pagers from nearly empty to as full as they can be, for tests of what fits a sheet."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from tests.pages.written_review import GAINS, HOSTILE
from tests.reports.partner_example import LADDERS, PAGE
from tierwise.reports.partner import (
    Change,
    Comparison,
    Criterion,
    Family,
    Move,
    PartnerPage,
    Peer,
    Plan,
    Reason,
    Score,
    ScorePart,
    Step,
)

LONG = "Won revenue over the last four quarters, net of credit notes and of registered renewals"
CHANGE = Change("Tier by the criteria alone", "strategic", "flagship", "+USD 30.0 k", "−USD 17.7 k", "±USD 0", True)
PEER = Peer(
    "Long name of a peer " * 3, "strategic", "2025-09-30", "region", (Move(LONG, "USD 60 k", "USD 450 k", True),) * 2
)


def filled(criteria: int, parts: int, words: int, plans: int, peers: int) -> PartnerPage:
    """A page with so many criteria, score parts, words a sentence, plans and peers."""
    sentence = ("word " * words).strip().capitalize() + "."
    return replace(
        PAGE,
        name=HOSTILE[9] if words > 20 else "Linden Inc",
        profile=(("Region", "EMEA"), ("Archetype", "High average won deal, many people with a valid certificate")),
        next_step=f"Needs approval by channel-director. {sentence}",
        reasons=tuple(Reason(rank, "code", sentence, sentence) for rank in range(1, 5)),
        criteria=tuple(_criterion(tier, number) for tier, number in product(("growth", "strategic"), range(criteria))),
        scores=(Score("value", "Partner value", 5.0 * parts, tuple(_part(number) for number in range(parts))),),
        comparisons=tuple(
            Comparison(name, name, tuple(Family(f"family {n}", 0.1 * n, 1.1, "× 1.10") for n in range(9)), 3.6)
            for name in ("channel", "peers")
        ),
        changes=(CHANGE,) * 4,
        moved=tuple(Move(LONG[:48], "USD 400 k", "USD 412 k", True) for _ in range(5)),
        plans=tuple(_plan(number) for number in range(1, plans + 1)),
        peers=tuple(replace(PEER, shown=f"{PEER.shown} (P{n})") for n in range(peers)),
        notes=("12 rows of all partners' data did not keep the contract and were left out.",) * 3,
    )  # fmt: skip


def _part(number: int) -> ScorePart:
    return ScorePart(f"Part {number}", "strategic alignment", 5.0, 10.0)


def _criterion(tier: str, number: int) -> Criterion:
    return Criterion(
        tier, f"c{number}", LONG[: 20 + 8 * number], f"metric_{number}", ">=", 62_000.0, 50_000.0 + number, 12_000.0,
        "false" if number % 2 else "true", number % 3 == 0, "USD 62.0 k", "≥ USD 50.0 k", "+USD 12.0 k", "USD 45.0 k",
        "USD 52.5 k",
    )  # fmt: skip


def _plan(number: int) -> Plan:
    step = Step("metric_1", LONG, "USD 62.0 k", "USD 105 k", "2026-12-31")
    return Plan(number, "strategic", "Steps.", "Steps.", (step,) * 4, "2026-12-31", 0.875, GAINS, "USD 24 k a year")


PAGES = {
    "bare": replace(PAGE, criteria=(), scores=(), comparisons=(), changes=(), moved=(), plans=(), peers=()),
    "example": PAGE,
    "usual": filled(4, 8, 22, 1, 3),
    "wordy": filled(3, 4, 45, 3, 3),
    "many criteria": filled(12, 8, 25, 2, 0),
    "many parts": filled(5, 14, 25, 1, 3),
    "tracks and units": replace(
        filled(6, 8, 25, 2, 3), ladders=replace(LADDERS, tracks=LADDERS.tracks * 5, units=LADDERS.units * 9)
    ),
    "all of it": filled(12, 14, 60, 3, 3),
}
