"""What the repository may hold: no place of one machine, no index address, no copy of the shared data."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

# Written in parts, so that this file does not hold what it looks for.
MACHINE_FOLDERS = ["/" + "work/", "/" + "root/", "/" + "home/", "/tmp/" + "bash"]
INDEX_HOSTS = [
    "pypi" + r"\.",
    "pythonhosted" + r"\.",
    r"registry\.[\w-]+\.(?:com|io|org)",
    "artifactory" + r"\.",
    "--index" + "-url",
]
FORBIDDEN = re.compile("|".join([*(rf"(?<![\w.~}}/-]){folder}" for folder in MACHINE_FOLDERS), *INDEX_HOSTS]))
SMALLEST_COPY = 512  # bytes; below that files are alike by chance


@pytest.fixture(scope="session")
def committed(repository: Path) -> list[Path]:
    """The files under version control."""
    if not (repository / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True)
    return [repository / name for name in listed.stdout.split("\0") if name and (repository / name).is_file()]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:  # a binary file
        return ""


def test_no_machine_path_and_no_index_address(committed: list[Path], repository: Path) -> None:
    found = [
        f"{path.relative_to(repository)}:{number}: {line.strip()}"
        for path in committed
        for number, line in enumerate(_read_text(path).splitlines(), start=1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["see /" + "work/main", "'/" + "root/x'", "https://pypi" + ".org/simple", "--index" + "-url x"]
)
def test_forbidden_places_are_seen(line: str) -> None:
    assert FORBIDDEN.search(line)


@pytest.mark.parametrize("line", ["docs/work/x", "s3://bucket/" + "home/", "the root/branch", "$HOME/" + "work/"])
def test_other_paths_are_not(line: str) -> None:
    assert not FORBIDDEN.search(line)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_file_is_a_copy_of_shared_data(committed: list[Path], shared_data: Path, shared_programs: Path) -> None:
    originals = [path for folder in (shared_data, shared_programs) for path in folder.rglob("*") if path.is_file()]
    sizes = {path.stat().st_size for path in originals} - set(range(SMALLEST_COPY))
    suspects = {path: _digest(path) for path in committed if path.stat().st_size in sizes}
    suspect_sizes = {path.stat().st_size for path in suspects}
    digests = {_digest(path) for path in originals if path.stat().st_size in suspect_sizes}
    assert [path.name for path, digest in suspects.items() if digest in digests] == []


def _locked(path: Path) -> dict[str, str]:
    pins = re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", path.read_text(), flags=re.MULTILINE)
    return dict(pins)


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", []), ("requirements-dev.lock", ["dev"])], ids=["runtime", "development"]
)
def test_lock_satisfies_the_declared_dependencies(lock: str, extras: list[str], repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    pins = _locked(repository / lock)
    for requirement in map(Requirement, texts):
        assert requirement.name in pins, f"run `make lock`: {requirement} is not locked"
        assert requirement.specifier.contains(pins[requirement.name]), f"run `make lock`: {requirement} moved"


LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-install.lock", "requirements-spark.lock")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(lock: str, repository: Path) -> None:
    entries = re.split(r"^(?=[a-z0-9])", (repository / lock).read_text(), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_of_spark_satisfies_its_extra_alone(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = _locked(repository / "requirements-spark.lock")
    (wanted,) = map(Requirement, project["optional-dependencies"]["spark"])
    assert wanted.specifier.contains(pins.pop(wanted.name))
    assert pins.keys() == {"py4j"}


def test_bare_make_lists_every_target(repository: Path) -> None:
    listed = subprocess.run(["make"], cwd=repository, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.+)$", (repository / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony
    assert set(re.findall(r"^  make (\w+)", listed, flags=re.MULTILINE)) == set(phony.group(1).split())


def test_wheel_carries_the_shipped_files(repository: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=repository,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {
        path.relative_to(repository).as_posix()
        for folder in ("models", "pipelines")
        for path in (repository / folder).rglob("*.yaml")
    }
    assert shipped
    assert {f"tierwise/_{name}" for name in shipped} <= names
    assert "tierwise/py.typed" in names


def test_continuous_integration_runs_what_the_start_page_names(repository: Path) -> None:
    commands = (repository / ".ci" / "run").read_text().splitlines()
    start = (repository / "README.md").read_text(encoding="utf-8")
    for command in ("make demo", "make test"):
        assert re.search(rf"^{command}\b", start, flags=re.MULTILINE), command
    assert commands.index("make test") < commands.index("make check")
