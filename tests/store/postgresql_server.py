"""A real PostgreSQL server for tests, in a temporary folder on the loopback interface."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

USER, PASSWORD, DATABASE = "channel", "s3cret/p@ss", "postgres"
_ESCAPED_PASSWORD = "s3cret%2Fp%40ss"


@dataclass(frozen=True)
class PostgresqlServer:
    """A running server.

    Attributes:
        host: The loopback address.
        port: The port.
    """

    host: str
    port: int

    @property
    def address(self) -> str:
        """The connection address, with user and password."""
        return self.address_with(_ESCAPED_PASSWORD)

    def address_with(self, password: str) -> str:
        """The connection address with another password."""
        return f"postgresql://{USER}:{password}@{self.host}:{self.port}/{DATABASE}"


def programs() -> Path | None:
    """The folder of the server programs of the newest version that is installed; None without any."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    return max(folders, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0, default=None)


def cannot_run() -> str:
    """Why no server can be started here; empty if it can."""
    if programs() is None:
        return "no PostgreSQL server program on this machine"
    if os.geteuid() == 0 and (shutil.which("runuser") is None or _other_user() is None):
        return "PostgreSQL does not run as root, and there is no other user to run it as"
    return ""


@contextmanager
def running_server() -> Iterator[PostgresqlServer]:
    """Start a server and stop it afterwards; as root it runs as another user, as PostgreSQL demands.

    Its folder is not one of pytest's: those are closed to other users, and other runs of pytest close them again.
    """
    with TemporaryDirectory(prefix="tierwise-postgresql-", ignore_cleanup_errors=True) as folder:
        yield from _running_in(Path(folder))


def _running_in(folder: Path) -> Iterator[PostgresqlServer]:
    binaries = programs()
    assert binaries is not None
    data, password_file = folder / "data", folder / "password"
    password_file.write_text(PASSWORD)
    _hand_over(folder)
    _run([str(binaries / "initdb"), "-D", str(data), "-U", USER, "--pwfile", str(password_file), "-A", "scram-sha-256",
          "-E", "UTF8", "--locale", "C", "--no-sync", "-N"])  # fmt: skip
    port = _free_port()
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c datestyle=german"
    )
    control = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-t", "60"]
    _run([*control, "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield PostgresqlServer("127.0.0.1", port)
    finally:
        _run([*control, "-m", "immediate", "stop"])


def _run(command: list[str]) -> None:
    if os.geteuid() == 0:
        command = ["runuser", "-u", str(_other_user()), "--", *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout


def _hand_over(folder: Path) -> None:
    """Let the server's user write the folder."""
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, _other_user())


def _other_user() -> str | None:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody", "daemon") if name in names), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
