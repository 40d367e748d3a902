"""The generator as a whole: same seed, same bytes; a partner does not depend on who follows; keys hold."""

from __future__ import annotations

import hashlib
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.synthetic.conftest import SEED, query
from tierwise.synthetic import Channel, ChannelSettings, generate, generate_chunks

TABLES = {
    "partners", "partner_history", "opportunities", "deals", "certifications", "mdf_claims", "portal_logins",
    "support_cases", "tier_history",
}  # fmt: skip
KEYS = {
    "partners": "partner_id",
    "partner_history": "partner_id, valid_from",
    "opportunities": "opportunity_id",
    "deals": "deal_id",
    "certifications": "certificate_id",
    "mdf_claims": "claim_id",
    "portal_logins": "partner_id, month_end",
    "support_cases": "case_id",
    "tier_history": "partner_id, valid_from",
}
EVENT_DATES = {
    "opportunities": "created_on",
    "deals": "decided_on",
    "certifications": "issued_on",
    "mdf_claims": "decided_on",
    "portal_logins": "month_end",
    "support_cases": "closed_on",
}


def fingerprint(channel: Channel) -> str:
    """A hash of all bytes of a channel, as Arrow's own file format writes them."""
    digest = hashlib.sha256()
    for name, table in sorted({**channel.tables, **{f"truth/{k}": v for k, v in channel.truth.items()}}.items()):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        digest.update(name.encode() + sink.getvalue().to_pybytes())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_bytes(dirty):
    assert fingerprint(generate(ChannelSettings(), SEED)) == fingerprint(dirty)


def test_another_seed_gives_another_channel(dirty):
    other = generate(ChannelSettings(), SEED + 1)
    assert fingerprint(other) != fingerprint(dirty)
    assert not other.tables["deals"].equals(dirty.tables["deals"])


def test_default_channel_has_600_partners_and_five_years(dirty):
    assert set(dirty.tables) == TABLES
    assert set(dirty.truth) == {"partners", "potential", "planted_faults"}
    assert dirty.tables["partners"].num_rows == 600
    assert dirty.truth["partners"]["partner_id"].equals(dirty.tables["partners"]["partner_id"])
    assert 20_000 <= dirty.tables["deals"].num_rows <= 60_000


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_partner_is_the_same_however_many_follow(clean, table):
    """Partner N depends on the seed alone, so a small channel is the beginning of a large one."""
    few = generate(ChannelSettings(partners=40, fault_share=0.0), SEED).tables[table]
    last = few["partner_id"].to_pandas().max()
    assert last == "P0000040" or table not in ("partners", "partner_history")
    assert few.equals(clean.tables[table].filter(pc.less_equal(clean.tables[table]["partner_id"], "P0000040")))


def test_chunks_are_the_channel_in_order():
    settings = ChannelSettings(partners=1_500, fault_share=0.002)
    chunks = list(generate_chunks(settings, 3))
    assert [chunk.tables["partners"].num_rows for chunk in chunks] == [1_000, 500]
    whole = generate(settings, 3)
    assert pa.concat_tables([chunk.tables["deals"] for chunk in chunks]).equals(whole.tables["deals"])
    assert pc.count_distinct(whole.tables["partners"]["name"]).as_py() == 1_500


@pytest.mark.parametrize(("table", "key"), sorted(KEYS.items()))
def test_keys_are_unique_and_complete(clean, table, key):
    rows, distinct, empty = query(
        clean, f"SELECT count(*), count(DISTINCT ({key})), count(*) FILTER (partner_id IS NULL) FROM {table}"
    )[0]
    assert (rows, empty) == (distinct, 0)
    assert rows > 0


@pytest.mark.parametrize(("table", "day"), sorted(EVENT_DATES.items()))
def test_nothing_happens_before_joining_or_after_leaving(clean, table, day):
    outside = query(
        clean,
        f"""SELECT count(*) FROM {table} JOIN partners USING (partner_id)
            WHERE {day} < joined_on OR {day} > coalesce(left_on, DATE '9999-12-31')""",
    )
    assert outside == [(0,)]


@pytest.mark.parametrize(("table", "day"), sorted(EVENT_DATES.items()))
def test_nothing_happens_after_the_end_and_nothing_is_known_after_extraction(clean, table, day):
    settings = ChannelSettings()
    last, known, earlier = query(
        clean, f"SELECT max({day}), max(known_on), count(*) FILTER (known_on < {day}) FROM {table}"
    )[0]
    assert last <= settings.ends_on
    assert known <= settings.extracted_on
    assert earlier == 0


@pytest.mark.parametrize("table", ["opportunities", "deals", "certifications", "mdf_claims", "support_cases"])
def test_some_rows_arrive_late(clean, table):
    lag = f"known_on - {EVENT_DATES[table]}"
    late, very_late = query(clean, f"SELECT avg(({lag} > 0)::INT), avg(({lag} > 14)::INT) FROM {table}")[0]
    assert 0.3 <= late <= 0.5
    assert 0.015 <= very_late <= 0.05


def test_years_and_last_day_are_settings():
    channel = generate(ChannelSettings(partners=50, years=2, ends_on=date(2020, 3, 31), shock=None), 5)
    first, last = query(
        channel, "SELECT min(decided_on), max(decided_on) FROM deals WHERE decided_on > DATE '1990-01-01'"
    )[0]
    assert first >= date(2018, 4, 1)
    assert last <= date(2020, 3, 31)
    assert query(channel, "SELECT max(valid_from) FROM tier_history") == [(date(2019, 12, 31),)]


def test_a_channel_of_one_partner_works():
    channel = generate(ChannelSettings(partners=1), 11)
    assert channel.tables["partners"]["partner_id"].to_pylist() == ["P0000001"]
