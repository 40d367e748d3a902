"""The engine: the only package that knows DuckDB, Spark and SQLGlot."""

from tierwise.engine.connection import EmbeddedEngine, open_engine, quoted
from tierwise.engine.expressions import Expression, check_names, parse_expression, unknown_name
from tierwise.engine.grammar import ExpressionKind
from tierwise.engine.rendering import is_exact, render, to_tree
from tierwise.engine.seam import Engine, to_frame

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
