"""An engine shared by the policy's tests."""

from collections.abc import Iterator

import pytest

from tierwise.config.workspace import EngineSettings
from tierwise.engine import Engine, open_engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with open_engine(EngineSettings(threads=1)) as engine:
        yield engine
