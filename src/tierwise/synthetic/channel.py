"""A synthetic channel, table by table, in chunks of a thousand partners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierwise.synthetic.activity import case_table, certification_table, claim_table, login_table
from tierwise.synthetic.calendar import Quarters, simulated_quarters, to_days
from tierwise.synthetic.columns import partner_ids
from tierwise.synthetic.deals import deal_table, draw_opportunities, draw_outcomes, opportunity_table
from tierwise.synthetic.faults import plant
from tierwise.synthetic.latent import draw_partners, walk, win_factors
from tierwise.synthetic.partners import history_table, partner_table
from tierwise.synthetic.settings import CHUNK_PARTNERS, ChannelSettings
from tierwise.synthetic.tiers import tier_table
from tierwise.synthetic.truth import Hidden, partner_truth, potential_truth

Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Channel:
    """A synthetic channel or a chunk of one.

    Attributes:
        tables: What the systems of record hold: `partners`, `partner_history`, `opportunities`, `deals`,
            `certifications`, `mdf_claims`, `portal_logins`, `support_cases`, `tier_history`.
        truth: What no training code reads: `partners`, `potential`, `planted_faults`.
    """

    tables: Tables
    truth: Tables


def generate(settings: ChannelSettings, seed: int) -> Channel:
    """Generate a whole channel in memory.

    Args:
        settings: Its size, years, shock and planted faults.
        seed: The same seed gives the same bytes; partner N does not depend on how many partners there are.

    Returns:
        Its tables, each with the rows of earlier partners first.
    """
    chunks = list(generate_chunks(settings, seed))
    return Channel(_concatenated([chunk.tables for chunk in chunks]), _concatenated([chunk.truth for chunk in chunks]))


def generate_chunks(settings: ChannelSettings, seed: int) -> Iterator[Channel]:
    """Generate a channel a thousand partners at a time, so that memory does not grow with its size."""
    quarters = simulated_quarters(settings)
    for chunk in range(-(-settings.partners // CHUNK_PARTNERS)):
        yield _chunk(settings, seed, chunk, quarters)


def _chunk(settings: ChannelSettings, seed: int, chunk: int, quarters: Quarters) -> Channel:
    hidden = _hidden(settings, seed, chunk, quarters)
    partners, paths = hidden.partners, hidden.paths
    tables = {
        "partners": partner_table(partners, seed, quarters),
        "partner_history": history_table(seed, chunk, partners, quarters),
        "opportunities": opportunity_table(partners, hidden.opportunities, hidden.outcomes, settings),
        "deals": deal_table(partners, hidden.opportunities, hidden.outcomes, settings),
        "certifications": certification_table(seed, chunk, partners, paths, quarters),
        "mdf_claims": claim_table(seed, chunk, partners, paths, quarters),
        "portal_logins": login_table(seed, chunk, partners, paths, quarters),
        "support_cases": case_table(seed, chunk, partners, paths, quarters),
        "tier_history": tier_table(partners, hidden.opportunities, hidden.outcomes, quarters),
    }
    wanted = settings.partners - chunk * CHUNK_PARTNERS
    tables = {name: _first_partners(_arrived(table, settings), chunk, wanted) for name, table in tables.items()}
    truth = {"partners": partner_truth(hidden, quarters), "potential": potential_truth(hidden, quarters, settings)}
    truth = {name: _first_partners(table, chunk, wanted) for name, table in truth.items()}
    tables, truth["planted_faults"] = plant(tables, settings.fault_share, seed, chunk)
    return Channel(tables, truth)


def _hidden(settings: ChannelSettings, seed: int, chunk: int, quarters: Quarters) -> Hidden:
    partners = draw_partners(seed, chunk, quarters)
    paths = walk(seed, chunk, partners, quarters)
    opportunities = draw_opportunities(seed, chunk, partners, paths, quarters)
    chances = partners.win_chance[:, None] * win_factors(partners, quarters, settings.shock)
    outcomes = draw_outcomes(seed, chunk, partners, opportunities, chances, quarters)
    return Hidden(partners, paths, opportunities, outcomes)


def _arrived(table: pa.Table, settings: ChannelSettings) -> pa.Table:
    """Leave out what the systems of record did not know yet when the tables were extracted."""
    if "known_on" not in table.column_names:
        return table
    days = table["known_on"].cast(pa.int32())
    return table.filter(pc.less_equal(days, to_days(settings.extracted_on)))


def _first_partners(table: pa.Table, chunk: int, wanted: int) -> pa.Table:
    """Keep the wanted partners of a chunk: ids of equal width sort as their numbers do."""
    if wanted >= CHUNK_PARTNERS:
        return table
    last = partner_ids(np.array([chunk * CHUNK_PARTNERS + wanted]))[0]
    return table.filter(pc.less_equal(table["partner_id"], last))


def _concatenated(chunks: list[Tables]) -> Tables:
    return {name: pa.concat_tables([tables[name] for tables in chunks]) for name in chunks[0]}
