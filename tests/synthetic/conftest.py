"""One channel of the default size, with and without planted faults, shared by the tests of the synthetic channel."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from tierwise.synthetic import Channel, ChannelSettings, generate
from tierwise.synthetic.profiles import USD_RATES

SEED = 1


@pytest.fixture(scope="session")
def dirty() -> Channel:
    """The channel that `tierwise init --example demo` writes."""
    return generate(ChannelSettings(), SEED)


@pytest.fixture(scope="session")
def clean() -> Channel:
    """The same channel without planted faults."""
    return generate(ChannelSettings(fault_share=0.0), SEED)


@pytest.fixture(scope="session")
def large() -> Channel:
    """A clean channel of 3,000 partners, for shares and other statistics."""
    return generate(ChannelSettings(partners=3_000, fault_share=0.0), 7)


@pytest.fixture(scope="session")
def won(large: Channel) -> pd.DataFrame:
    """Won deals of the large channel."""
    return won_deals(large)


def won_deals(channel: Channel) -> pd.DataFrame:
    """The won deals of a channel with the amount in US dollars."""
    deals = channel.tables["deals"].to_pandas()
    deals = deals[deals["status"] == "won"]
    usd = deals["amount"].astype(float) * deals["currency"].map(USD_RATES)
    return deals.assign(usd=usd, decided_on=pd.to_datetime(deals["decided_on"]))


def query(channel: Channel, sql: str) -> list[tuple]:
    """Run a query over the tables of a channel (and its truth, as `truth_<name>`)."""
    with duckdb.connect() as connection:
        for name, table in channel.tables.items():
            connection.register(name, table)
        for name, table in channel.truth.items():
            connection.register(f"truth_{name}", table)
        return connection.execute(sql).fetchall()
