"""Getting ready leaves an installation with its loops compiled; it has no other result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_CODE = """
import sys
from tierwise.jobs.ready import get_ready
assert "lightgbm" not in sys.modules and "matplotlib" not in sys.modules
assert get_ready() is None
print(*sorted(name for name in ("lightgbm", "matplotlib", "numba", "sklearn") if name in sys.modules))
"""


def test_the_loops_of_the_kernel_are_compiled_and_kept(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "loops")}
    run = subprocess.run(
        [sys.executable, "-c", _CODE], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["lightgbm", "matplotlib", "numba", "sklearn"]
    kept = {file.name.split("-")[0] for file in (tmp_path / "loops").rglob("*.nbi")}
    assert {"kernel_tables.fill_tables", "kernel_rows._pattern"} <= kept
    assert [file.name for file in tmp_path.iterdir()] == ["loops"]
