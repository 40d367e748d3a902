"""The folder that holds a trained model: its parts as files, and a manifest with the hash of each.

LightGBM models are kept in LightGBM's own text format, scikit-learn parts as joblib, the rest as JSON and Parquet.
A joblib file can run code when it is opened, so nothing is opened before every file was held against its hash, and it
is the very bytes that were hashed that are opened.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from tierwise.errors import Fault, OutsideFailure
from tierwise.store.writer_disk import disk_faults, make_durable

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
PartKind = Literal["lightgbm_text", "sklearn", "json", "frame"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*")
_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {"lightgbm_text": ".txt", "sklearn": ".joblib", "json": ".json", "frame": ".parquet"}
)
_LIBRARIES = ("joblib", "lightgbm", "numpy", "pandas", "scikit-learn")


# One part of a model: LightGBM's text (`Booster.model_to_string`), what JSON holds, a pandas frame whose index means
# nothing, or a fitted scikit-learn estimator.
Part: TypeAlias = Any


@dataclass(frozen=True)
class Bundle:
    """A model read from its folder.

    Attributes:
        parts: The parts, by name, as they were saved: text, dictionaries, frames, estimators.
        about: What was saved about the model: text by name.
        sha256: The hash of the manifest, which stands for the hashes of all files.
    """

    parts: Mapping[str, Part]
    about: Mapping[str, str]
    sha256: str

    def group(self, name: str) -> dict[str, Part]:
        """Return the parts of one model, by the names they had before `grouped`; none if there is no such group."""
        start = f"{name}."
        return {part.removeprefix(start): value for part, value in self.parts.items() if part.startswith(start)}


def save_bundle(folder: Path, parts: Mapping[str, Part], about: Mapping[str, str]) -> str:
    """Save a model into a folder that is absent or empty.

    Args:
        folder: The folder; made if it is absent.
        parts: The parts, by name: lower-case letters, digits, `_`, `-` and dots.
        about: What the model is and was made from; no clock times, so that equal models make equal bundles.

    Returns:
        The hash of the manifest, to be kept where the folder's owner cannot change it.

    Raises:
        ValueError: If a part's name or type is not one of those allowed, or the folder holds something.
        OutsideFailure: If the disk or its permissions do not allow it.
    """
    with disk_faults("save the model", folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ValueError(f"{folder} is not empty")
        files = {}
        for name, part in sorted(parts.items()):
            kind = _kind(name, part)
            file, content = f"{name}{_SUFFIXES[kind]}", _SAVERS[kind](part)
            files[file] = {"kind": kind, "sha256": _sha256(content)}
            _write(folder / file, content)
        body = {
            "format": MANIFEST_FORMAT,
            "about": dict(sorted(about.items())),
            "libraries": {name: metadata.version(name) for name in _LIBRARIES},
            "files": files,
        }
        manifest = (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()
        _write(folder / MANIFEST, manifest)
    return _sha256(manifest)


def grouped(**groups: Mapping[str, Part]) -> dict[str, Part]:
    """Put the parts of several models into one mapping, each named `group.part`."""
    return {f"{group}.{name}": part for group, parts in groups.items() for name, part in parts.items()}


def load_bundle(folder: Path, sha256: str | None = None) -> Bundle:
    """Load a model, if every file is the one that was saved.

    Args:
        folder: The folder.
        sha256: The hash of the manifest as `save_bundle` gave it, if it is known.

    Raises:
        OutsideFailure: If a file is missing, changed or not in the manifest, or a scikit-learn part was saved by
            another version of scikit-learn. No file is opened then.
    """
    with disk_faults("read the model", folder):
        manifest = _read(folder, MANIFEST)
        if sha256 not in (None, _sha256(manifest)):
            raise _not_trusted(folder, "the manifest is not the one that was registered")
        body = _parse_manifest(folder, manifest)
        contents = _verified_contents(folder, body["files"])
    _check_libraries(folder, body)
    parts = {
        name.removesuffix(_SUFFIXES[entry["kind"]]): _OPENERS[entry["kind"]](contents[name])
        for name, entry in body["files"].items()
    }
    return Bundle(MappingProxyType(parts), MappingProxyType(body["about"]), _sha256(manifest))


def _parse_manifest(folder: Path, manifest: bytes) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(manifest)
        if body["format"] != MANIFEST_FORMAT:
            raise ValueError(f"its format is {body['format']}, this version reads {MANIFEST_FORMAT}")
        for name, entry in body["files"].items():
            _check_entry(name, entry)
        return {"about": dict(body["about"]), "libraries": dict(body["libraries"]), "files": body["files"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_trusted(folder, f"the manifest cannot be read: {error}") from error


def _check_entry(name: str, entry: Mapping[str, str]) -> None:
    suffix = _SUFFIXES[entry["kind"]]
    if not name.endswith(suffix) or not _NAME.fullmatch(name.removesuffix(suffix)):
        raise ValueError(f"{name!r} is not the name of a part of kind {entry['kind']}")
    if not isinstance(entry["sha256"], str):
        raise TypeError(f"the hash of {name} is not text")


def _verified_contents(folder: Path, files: Mapping[str, Mapping[str, str]]) -> dict[str, bytes]:
    found = {path.name for path in folder.iterdir()} - {MANIFEST}
    extra, missing = sorted(found - set(files)), sorted(set(files) - found)
    if extra or missing:
        parts = [f"files that the manifest does not name: {', '.join(extra)}"] if extra else []
        parts += [f"missing files: {', '.join(missing)}"] if missing else []
        raise _not_trusted(folder, "; ".join(parts))
    contents = {name: _read(folder, name) for name in sorted(files)}
    changed = [name for name, content in contents.items() if _sha256(content) != files[name]["sha256"]]
    if changed:
        raise _not_trusted(folder, f"changed since they were saved: {', '.join(changed)}")
    return contents


def _check_libraries(folder: Path, body: Mapping[str, Any]) -> None:
    """Refuse scikit-learn parts of another minor version: scikit-learn does not promise that they work."""
    if not any(entry["kind"] == "sklearn" for entry in body["files"].values()):
        return
    saved, here = str(body["libraries"].get("scikit-learn", "unknown")), metadata.version("scikit-learn")
    if saved.split(".")[:2] != here.split(".")[:2]:
        raise OutsideFailure(
            Fault(
                f"the model was saved with scikit-learn {saved}, installed is {here}",
                where=str(folder),
                todo=f"train again, or install scikit-learn {saved}",
            )
        )


def _not_trusted(folder: Path, why: str) -> OutsideFailure:
    return OutsideFailure(
        Fault(
            f"the model is not loaded: {why}",
            where=str(folder),
            todo="train again, or restore the folder from a copy; a changed model is never opened",
        )
    )


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise _not_trusted(folder, f"{name} is missing or not a plain file")
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    make_durable(path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _kind(name: str, part: Part) -> PartKind:
    if not _NAME.fullmatch(name) or f"{name}.json" == MANIFEST:
        raise ValueError(f"{name!r} is not a name for a part of a model")
    if isinstance(part, str):
        return "lightgbm_text"
    if isinstance(part, dict | list):
        return "json"
    if isinstance(part, pd.DataFrame):
        return "frame"
    if hasattr(part, "get_params"):
        return "sklearn"
    raise ValueError(f"part {name!r} is a {type(part).__name__}; a bundle takes text, JSON, frames and estimators")


def _json_bytes(content: object) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False, default=_plain_number) + "\n").encode()


def _plain_number(value: object) -> object:
    """Let JSON take the numbers of NumPy."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"JSON cannot hold a {type(value).__name__}")


def _joblib_bytes(content: object) -> bytes:
    import joblib

    stream = io.BytesIO()
    joblib.dump(content, stream)
    return stream.getvalue()


def _open_joblib(content: bytes) -> object:
    import joblib

    return joblib.load(io.BytesIO(content))


def _parquet_bytes(content: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    table = pa.Table.from_pandas(content, preserve_index=False).replace_schema_metadata(None)
    pyarrow.parquet.write_table(table, stream, version="2.6", compression="zstd", compression_level=3)
    return stream.getvalue()


def _open_parquet(content: bytes) -> pd.DataFrame:
    frame: pd.DataFrame = pyarrow.parquet.read_table(io.BytesIO(content)).to_pandas()
    return frame


_SAVERS: Mapping[str, Callable[[Any], bytes]] = MappingProxyType(
    {"lightgbm_text": str.encode, "sklearn": _joblib_bytes, "json": _json_bytes, "frame": _parquet_bytes}
)
_OPENERS: Mapping[str, Callable[[bytes], Any]] = MappingProxyType(
    {"lightgbm_text": bytes.decode, "sklearn": _open_joblib, "json": json.loads, "frame": _open_parquet}
)
