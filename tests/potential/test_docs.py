from pathlib import Path

import pytest

from tierwise.archetypes.model import REASONS as ARCHETYPE_REASONS
from tierwise.potential.gate import REASONS as GATE_REASONS
from tierwise.potential.model import DIAGNOSTICS
from tierwise.potential.tune import REASONS as TUNING_REASONS


@pytest.mark.parametrize("code", sorted({*ARCHETYPE_REASONS, *GATE_REASONS, *DIAGNOSTICS, *TUNING_REASONS}))
def test_every_reason_code_is_documented(code: str, repository: Path):
    assert f"`{code}`" in (repository / "docs" / "models.md").read_text()
