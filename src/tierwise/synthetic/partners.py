"""What the systems of record show of the partners: the partner table and its effective-dated history."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierwise.synthetic.calendar import Days, Quarters
from tierwise.synthetic.columns import dates, dates_or_empty, names, partner_ids
from tierwise.synthetic.latent import NEVER, Partners
from tierwise.synthetic.profiles import COUNTRY_NAMES, INDUSTRIES, PARTNER_TYPES, REGION_NAMES, SIZES
from tierwise.synthetic.streams import Choices, Subject, stream

ONBOARDING_DAYS = 180
RESIZE_CHANCE = 0.16
MANAGER_CHANGE_CHANCE = 0.20
MANAGERS_BY_REGION = np.array([10, 9, 5, 2])
"""Partner managers of each region, per thousand partners."""
DISTRIBUTORS_BY_REGION = np.array([4, 3, 2, 1])
STATUSES = ("onboarding", "active", "left")

FIRST_WORDS = (
    "Alder", "Amber", "Anchor", "Apex", "Arbor", "Argent", "Aspen", "Atlas", "Aurora", "Azure", "Beacon", "Birch",
    "Blue Harbour", "Bright", "Cedar", "Cobalt", "Copper", "Coral", "Crescent", "Crown", "Delta", "Echo", "Elm",
    "Ember", "Falcon", "Fjord", "Garnet", "Granite", "Green Valley", "Grove", "Harbour", "Hazel", "Helios", "Heron",
    "Indigo", "Iris", "Ivory", "Jade", "Juniper", "Keystone", "Kestrel", "Lark", "Laurel", "Linden", "Lumen", "Lunar",
    "Maple", "Meridian", "Mosaic", "Nimbus", "North Star", "Nova", "Oak", "Onyx", "Opal", "Orchid", "Orion", "Osprey",
    "Peak", "Pine", "Polar", "Prairie", "Prism", "Quartz", "Raven", "Red Rock", "Ridge", "River", "Rowan", "Saffron",
    "Sage", "Sequoia", "Sierra", "Silver", "Slate", "Solstice", "Spruce", "Sterling", "Stone", "Summit", "Swift",
    "Tamarind", "Teal", "Terra", "Thistle", "Tidal", "Timber", "Topaz", "Umbra", "Vale", "Velvet", "Verde", "Vertex",
    "Violet", "Vista", "Willow", "Winter", "Wren", "Zenith",
)  # fmt: skip
SECOND_WORDS = (
    "Analytics", "Business Systems", "Cloud", "Computing", "Consulting", "Data", "Digital", "Dynamics", "Information",
    "Integration", "IT", "IT Services", "Logic", "Networks", "Partners", "Platforms", "Security", "Services",
    "Software", "Solutions", "Systems", "Tech", "Technologies", "Works",
)  # fmt: skip
LAST_WORDS = ("Group", "Ltd", "GmbH", "Inc", "SA", "BV", "Pty", "KK", "Co", "Associates", "International")
NAME_STEP = 10_007
"""A prime: stepping through the names by it, neighbours differ and none repeats within the first 26,000 partners."""


def partner_table(partners: Partners, seed: int, quarters: Quarters) -> pa.Table:
    """One row per partner with what is true of it for good, and the days on which it joined and left."""
    return pa.table(
        {
            "partner_id": partner_ids(partners.number),
            "name": _company_names(partners.number, seed),
            "region": names(REGION_NAMES, partners.region),
            "country": names(COUNTRY_NAMES, partners.country),
            "industry": names(INDUSTRIES, partners.industry),
            "partner_type": names(PARTNER_TYPES, partners.partner_type),
            "distributor_id": _within_region("DIST", partners, DISTRIBUTORS_BY_REGION, partners.number),
            "joined_on": dates(partners.joined),
            "left_on": dates_or_empty(partners.left, partners.left <= quarters.last_day),
        }
    )


def history_table(seed: int, chunk: int, partners: Partners, quarters: Quarters) -> pa.Table:
    """Size, partner manager and status of each partner from a date on, sorted by partner and date.

    A partner that leaves gets a row with status `left` from the day after its last: nothing says so earlier.
    """
    random = stream(seed, chunk, Subject.HISTORY)
    n = partners.count
    resized_on, resized = _resizes(random, partners, quarters)
    moved_on = _some_day(random, partners, quarters, MANAGER_CHANGE_CHANCE)
    manager = random.integers(0, 10**6, n)
    next_manager = random.integers(0, 10**6, n)
    starts = np.column_stack(
        [partners.joined, partners.joined + ONBOARDING_DAYS, resized_on, moved_on, partners.left + 1]
    )
    ends_by = np.minimum(quarters.last_day, partners.left + 1)
    row, column = np.nonzero(starts <= ends_by[:, None])
    day = starts[row, column]
    order = np.lexsort((day, row))
    row, day = row[order], day[order]
    status = np.where(day > partners.left[row], 2, (day >= partners.joined[row] + ONBOARDING_DAYS).astype(np.int64))
    table = pa.table(
        {
            "partner_id": partner_ids(partners.number[row]),
            "valid_from": dates(day),
            "size": names(SIZES, np.where(day >= resized_on[row], resized[row], partners.size[row])),
            "manager_id": _within_region(
                "PM", partners, MANAGERS_BY_REGION, np.where(day >= moved_on[row], next_manager[row], manager[row]), row
            ),
            "status": names(STATUSES, status),
        }
    )
    last_of_day = np.append((row[1:] != row[:-1]) | (day[1:] != day[:-1]), True)
    return table.filter(pa.array(last_of_day))


def _company_names(numbers: Choices, seed: int) -> pa.Array:
    """Made-up company names, distinct for the first 26,000 partners."""
    combinations = len(FIRST_WORDS) * len(SECOND_WORDS) * len(LAST_WORDS)
    index = (numbers * NAME_STEP + seed % combinations) % combinations
    first, rest = np.divmod(index, len(SECOND_WORDS) * len(LAST_WORDS))
    second, last = np.divmod(rest, len(LAST_WORDS))
    words = [names(FIRST_WORDS, first), names(SECOND_WORDS, second), names(LAST_WORDS, last)]
    return pc.binary_join_element_wise(*words, " ")


def _within_region(
    prefix: str, partners: Partners, per_region: Choices, draws: Choices, rows: Choices | None = None
) -> pa.Array:
    """Ids such as `PM-EMEA-0003`; every thousand partners have their own."""
    rows = np.arange(partners.count) if rows is None else rows
    region = partners.region[rows]
    chunk = (partners.number[rows] - 1) // 1_000
    number = chunk * per_region[region] + draws % per_region[region] + 1
    digits = pc.utf8_lpad(pa.array(number, pa.int64()).cast(pa.string()), 4, "0")
    return pc.binary_join_element_wise(prefix, names(REGION_NAMES, region), digits, "-")


def _some_day(random: np.random.Generator, partners: Partners, quarters: Quarters, chance: float) -> Days:
    """A day in the channel's years for some partners, `NEVER` for the others and for days when they were not there."""
    span = quarters.last_day - quarters.first_observed_day
    day = quarters.first_observed_day + np.floor(random.random(partners.count) * span).astype(np.int64)
    there = (day > partners.joined) & (day <= partners.left)
    return np.where(there & (random.random(partners.count) < chance), day, NEVER)


def _resizes(random: np.random.Generator, partners: Partners, quarters: Quarters) -> tuple[Days, Choices]:
    """Some partners become one size larger or smaller: their growth says which."""
    day = _some_day(random, partners, quarters, RESIZE_CHANCE)
    size = np.clip(partners.size + np.where(partners.growth > 0, 1, -1), 0, len(SIZES) - 1)
    return day, size
