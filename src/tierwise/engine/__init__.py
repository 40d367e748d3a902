"""The engine: the only package that knows DuckDB, Spark and SQLGlot.

The names are loaded when they are first used, so that wording one condition does not wait for DuckDB and pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierwise.engine.connection import EmbeddedEngine, open_engine, quoted
    from tierwise.engine.expressions import Expression, check_names, parse_expression, unknown_name
    from tierwise.engine.grammar import ExpressionKind
    from tierwise.engine.rendering import is_exact, render, to_tree
    from tierwise.engine.seam import Engine, to_frame

_HOMES = {
    "connection": "EmbeddedEngine open_engine quoted",
    "expressions": "Expression check_names parse_expression unknown_name",
    "grammar": "ExpressionKind",
    "rendering": "is_exact render to_tree",
    "seam": "Engine to_frame",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"tierwise.engine.{_HOME_OF[name]}"), name)


__all__ = [
    "EmbeddedEngine",
    "Engine",
    "Expression",
    "ExpressionKind",
    "check_names",
    "is_exact",
    "open_engine",
    "parse_expression",
    "quoted",
    "render",
    "to_frame",
    "to_tree",
    "unknown_name",
]
