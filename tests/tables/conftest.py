from __future__ import annotations

from collections.abc import Iterator

import pytest

from tierwise.engine import Engine, open_engine


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One engine per file: every check replaces the tables that it makes."""
    with open_engine() as opened:
        yield opened
