"""Starting MLflow's servers on loopback for tests, and ending exactly those."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

READY_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Run `mlflow server` with a SQLite backend and yield its address."""
    port = free_port()
    command = [
        "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--artifacts-destination", str(folder / "files"),
    ]  # fmt: skip
    with _process(command, folder / "log.txt", {}) as process:
        wait_until_ready(f"http://127.0.0.1:{port}/health", process, folder / "log.txt")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(model: Path | str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run `mlflow models serve` in this environment and yield its address."""
    port = free_port()
    command = [
        "models", "serve", "--model-uri", str(model), "--env-manager", "local",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    with _process(command, folder / "log.txt", environment) as process:
        wait_until_ready(f"http://127.0.0.1:{port}/ping", process, folder / "log.txt")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _process(arguments: Sequence[str], log: Path, extra: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start one MLflow command in a process group of its own, and end that group whatever happens."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "PATH": path, **extra}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *arguments],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=log.parent,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until the server answers; fails with its log if it ends or takes too long."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(READY_SECONDS * 4):
        if process.poll() is not None:
            break
        try:
            with opener.open(url, timeout=2):
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"{url} did not answer:\n{log.read_text(errors='replace')[-4000:]}")
