"""Faults from outside, injected into a scored channel, and what an operator sees of them."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType

from tests.channel import AS_OF, BEFORE
from tierwise.store import lock_output

Injection = Callable[[Path], AbstractContextManager[None]]


def _settings(channel: Path, text: str) -> None:
    path = channel / "tierwise.yaml"
    path.write_text(f"{path.read_text('utf-8')}\n{text}\n", "utf-8")


def mlflow_server_down(channel: Path) -> AbstractContextManager[None]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    _settings(channel, f'mlflow: {{tracking_uri: "http://127.0.0.1:{port}"}}')
    return nullcontext()


@contextmanager
def mlflow_server_silent(channel: Path) -> Iterator[None]:
    """A server that takes connections and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        _settings(channel, f'mlflow: {{tracking_uri: "http://127.0.0.1:{silent.getsockname()[1]}"}}')
        yield


def model_changed(channel: Path) -> AbstractContextManager[None]:
    """Each stored model's text gets one more line."""
    for path in channel.rglob("*.txt"):
        if "potential" in str(path) and path.stat().st_size > 1000:
            path.write_text(path.read_text("utf-8") + "\n")
    return nullcontext()


def parquet_cut(channel: Path) -> AbstractContextManager[None]:
    path = channel / "data" / "mdf_claims.parquet"
    path.write_bytes(path.read_bytes()[:2_000])
    return nullcontext()


def source_missing(channel: Path) -> AbstractContextManager[None]:
    (channel / "data" / "deals.csv").unlink()
    return nullcontext()


def postgresql_down(channel: Path) -> AbstractContextManager[None]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    path = channel / "tierwise.yaml"
    text = path.read_text("utf-8")
    address = f"postgresql://operator:s3cret@127.0.0.1:{port}/crm"
    source = '{csv: "deals.csv"}'
    assert text.count(source) == 1
    path.write_text(text.replace(source, f'{{postgresql: "{address}", table: deals}}'), "utf-8")
    return nullcontext()


def earlier_review_damaged(channel: Path) -> AbstractContextManager[None]:
    path = channel / "output" / BEFORE.isoformat() / "recommendations.parquet"
    path.write_bytes(path.read_bytes()[:500])
    return nullcontext()


def another_run_writes(channel: Path) -> AbstractContextManager[None]:
    @contextmanager
    def locked() -> Iterator[None]:
        with lock_output(channel / "output", "0123456789abcdef"):
            yield

    return locked()


def engine_without_memory(channel: Path) -> AbstractContextManager[None]:
    _settings(channel, "engine: {memory_limit: 6MB}")
    return nullcontext()


def output_is_a_file(channel: Path) -> AbstractContextManager[None]:
    shutil.rmtree(channel / "output")
    (channel / "output").write_text("not a folder")
    return nullcontext()


def foreign_folder_in_the_way(channel: Path) -> AbstractContextManager[None]:
    place = channel / "output" / AS_OF.isoformat()
    shutil.rmtree(place)
    place.mkdir()
    (place / "thesis.txt").write_text("mine")
    return nullcontext()


INJECTIONS = MappingProxyType[str, Injection](
    {
        one.__name__: one
        for one in (
            mlflow_server_down, mlflow_server_silent, model_changed, parquet_cut, source_missing, postgresql_down,
            earlier_review_damaged, another_run_writes, engine_without_memory, output_is_a_file,
            foreign_folder_in_the_way,
        )
    }
)  # fmt: skip
