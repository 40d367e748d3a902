"""What a synthetic channel is generated from: its size, its years, its market shock and its share of bad rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tierwise.errors import Fault, InvalidInput

CHUNK_PARTNERS = 1_000
"""Partners that share a random stream. A chunk is always drawn whole: partner N is the same however many follow it."""

MAX_PARTNERS = 1_000_000
MAX_YEARS = 20


@dataclass(frozen=True)
class Shock:
    """A market shock: for some quarters, fewer opportunities of some regions are won.

    Attributes:
        quarter_ends: The last days of the quarters it lasts.
        win_factors: Per region, what the chance to win is multiplied by; a region not named is untouched.
    """

    quarter_ends: tuple[date, ...]
    win_factors: tuple[tuple[str, float], ...]


DEMAND_SHOCK = Shock(
    quarter_ends=(date(2024, 6, 30), date(2024, 9, 30), date(2024, 12, 31)),
    win_factors=(("EMEA", 0.50), ("AMER", 0.85), ("APAC", 0.85), ("LATAM", 0.85)),
)
"""A slump of three quarters: deep in EMEA, mild elsewhere."""


@dataclass(frozen=True)
class ChannelSettings:
    """The settings of a synthetic channel.

    Attributes:
        partners: How many partners to generate.
        years: How many years of events.
        ends_on: The last day on which something happens; the last day of a calendar quarter.
        arrival_days: The tables are extracted so many days later; rows that become known after that are not in them.
        fault_share: The share of rows of the deal, certification and claim tables that are planted bad rows.
        shock: The market shock, if there is one.
        truth_reviews: For how many quarter ends, counted back from `ends_on`, the true potential is written.
    """

    partners: int = 600
    years: int = 5
    ends_on: date = date(2026, 9, 30)
    arrival_days: int = 15
    fault_share: float = 0.003
    shock: Shock | None = DEMAND_SHOCK
    truth_reviews: int = 12

    def __post_init__(self) -> None:
        faults = _faults(self)
        if faults:
            raise InvalidInput(faults)

    @property
    def extracted_on(self) -> date:
        """The day on which the tables leave the systems of record."""
        return self.ends_on + timedelta(days=self.arrival_days)


def _faults(settings: ChannelSettings) -> list[Fault]:
    faults = []
    for name, value, low, high in (
        ("partners", settings.partners, 1, MAX_PARTNERS),
        ("years", settings.years, 2, MAX_YEARS),
        ("arrival_days", settings.arrival_days, 0, 366),
        ("fault_share", settings.fault_share, 0, 0.2),
        ("truth_reviews", settings.truth_reviews, 1, 4 * MAX_YEARS),
    ):
        if not low <= value <= high:
            faults.append(
                Fault(f"{name} is {value}; allowed is {low} to {high}", todo=f"choose a {name} in that range")
            )
    next_day = settings.ends_on + timedelta(days=1)
    if (next_day.day, next_day.month % 3) != (1, 1):
        faults.append(
            Fault(
                f"ends_on is {settings.ends_on}, which is not the last day of a calendar quarter",
                todo="choose such a day",
            )
        )
    return faults
