from __future__ import annotations

from collections.abc import Iterator

import pytest

from tierwise.engine import Engine, open_engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An empty engine."""
    with open_engine() as opened:
        yield opened
