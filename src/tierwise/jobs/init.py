"""Make a workspace: a ready example, the demo with its synthetic data, or a template to fill in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from tierwise.config.names import hint
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.store.writer import write_frame, write_text
from tierwise.store.writer_disk import disk_faults, put_in_place
from tierwise.synthetic import CHUNK_PARTNERS, Channel, ChannelSettings, generate, generate_chunks

EXAMPLES = ("demo", "adventureworks", "olist")
TEMPLATE = "template"
DATA, TRUTH = "data", "truth"
MOST_CSV_PARTNERS = 5_000
"""A demo channel of up to so many partners has its CSV tables; a larger one is all Parquet, in parts."""
PART_CHUNKS = 20
TEMPLATE_CHANNEL = ChannelSettings(partners=120, years=3, fault_share=0.0)
"""The sample data of the template: enough to run every command on, small enough to read."""
CSV_TABLES = frozenset({"partners", "partner_history", "deals", "tier_history"})


@dataclass(frozen=True)
class InitRequest:
    """What to make.

    Attributes:
        folder: The folder of the new workspace.
        example: One of `EXAMPLES`, or None for the template.
        partners: Partners of the demo channel.
        years: Years of history of the demo channel.
        seed: Seed of the demo channel.
        force: Whether the folder may hold other files; those of the workspace are replaced, all others stay.
    """

    folder: Path
    example: str | None = None
    partners: int = 600
    years: int = 5
    seed: int = 1
    force: bool = False


@dataclass(frozen=True)
class MadeWorkspace:
    """The new workspace and its files, sorted."""

    folder: Path
    files: tuple[Path, ...]


def init(request: InitRequest, notify: Notify = silent) -> MadeWorkspace:
    """Make a workspace whole or not at all: it is built beside its place and put there in one step.

    The same request gives the same bytes.

    Raises:
        InvalidInput: If the example is unknown, the folder is not empty, or the channel's settings are out of bounds.
        OutsideFailure: If the disk or its permissions do not allow it; what was there is unchanged.
    """
    folder = request.folder.resolve()
    _check(request, folder)
    settings = ChannelSettings(partners=request.partners, years=request.years)
    with disk_faults("make the workspace", folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            _fill(fresh, request, settings, notify)
            files = tuple(sorted(path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()))
            _keep_others(folder, fresh, request.example)
            put_in_place(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return MadeWorkspace(request.folder, tuple(request.folder / path for path in files))


def packaged_workspace(name: str) -> Path:
    """The folder of a ready workspace: inside the installed package, or at the top of a source checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_pipelines" / name
    return installed if installed.is_dir() else package.parents[1] / "pipelines" / name


def _check(request: InitRequest, folder: Path) -> None:
    if request.example is not None and request.example not in EXAMPLES:
        what = f"{request.example!r} is no example; {hint(request.example, EXAMPLES)}"
        raise InvalidInput(Fault(what, "--example", todo=f"choose one of {', '.join(EXAMPLES)}"))
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(Fault("this is a file, not a folder", str(folder), todo="choose another folder"))
    if folder.is_dir() and any(folder.iterdir()) and not request.force:
        todo = "choose another folder, or replace the workspace's files in this one with --force"
        found = tuple(sorted(path.name for path in folder.iterdir()))
        raise InvalidInput(Fault("the folder is not empty", str(folder), found, todo))


def _fill(fresh: Path, request: InitRequest, settings: ChannelSettings, notify: Notify) -> None:
    shutil.copytree(packaged_workspace(request.example or TEMPLATE), fresh, ignore=shutil.ignore_patterns(".*"))
    if request.example == "demo":
        write_demo_data(fresh, settings, request.seed, notify)
    elif request.example is None:
        _write_template_data(fresh, request.seed)


def write_demo_data(folder: Path, settings: ChannelSettings, seed: int, notify: Notify = silent) -> None:
    """Write the demo channel into `<folder>/data` and its truth into `<folder>/truth`, 20,000 partners at a time."""
    in_parts = settings.partners > MOST_CSV_PARTNERS
    if in_parts:
        _keep_to_parquet(folder / "tierwise.yaml")
    parts = -(-settings.partners // (CHUNK_PARTNERS * PART_CHUNKS))
    steps = Steps(notify, parts)
    chunks = generate_chunks(settings, seed)
    for number in range(parts):
        steps.begin(f"generate partners {number * CHUNK_PARTNERS * PART_CHUNKS + 1:,} and following")
        part = f"-{number:05d}" if in_parts else ""
        _write_part(folder, islice(chunks, PART_CHUNKS), part)


def _write_part(folder: Path, chunks: Iterable[Channel], part: str) -> None:
    gathered = list(chunks)
    for name, table in _concatenated(chunk.tables for chunk in gathered):
        suffix = ".csv" if name in CSV_TABLES and not part else ".parquet"
        write_frame(table, folder / DATA / f"{name}{part}{suffix}")
    for name, table in _concatenated(chunk.truth for chunk in gathered):
        write_frame(table, folder / TRUTH / f"{name}{part}.parquet")


def _concatenated(tables: Iterable[dict[str, pa.Table]]) -> Iterator[tuple[str, pa.Table]]:
    gathered = list(tables)
    for name in gathered[0]:
        yield name, pa.concat_tables([each[name] for each in gathered])


def _keep_to_parquet(settings_file: Path) -> None:
    """Let a large channel read and write Parquet only."""
    text = settings_file.read_text("utf-8")
    for name in sorted(CSV_TABLES):
        text = text.replace(f'{{csv: "{name}.csv"}}', f'{{parquet: "{name}-*.parquet"}}')
    write_text(settings_file, text.replace("formats: [parquet, csv]", "formats: [parquet]"))


def _write_template_data(folder: Path, seed: int) -> None:
    tables = generate(TEMPLATE_CHANNEL, seed).tables
    partners = tables["partners"].select(["partner_id", "name", "region", "partner_type", "joined_on"])
    deals = tables["deals"].select(
        ["deal_id", "partner_id", "decided_on", "status", "amount", "currency", "product_line"]
    )
    write_frame(partners, folder / DATA / "partners.csv")
    write_frame(deals, folder / DATA / "deals.csv")


def _keep_others(folder: Path, fresh: Path, example: str | None) -> None:
    """Carry over what is in the folder and not part of the new workspace; written data replaces earlier data whole."""
    if not folder.is_dir():
        return
    replaced = {DATA, TRUTH} if example == "demo" else set()
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if place.parts[0] in replaced or (fresh / place).exists():
            continue
        if path.is_dir() and not path.is_symlink():
            (fresh / place).mkdir(parents=True, exist_ok=True)
        else:
            shutil.copy2(path, fresh / place, follow_symlinks=False)
