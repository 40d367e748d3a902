"""Metrics: named figures of a partner as of a date, each with one definition, one owner and one unit."""

from tierwise.metrics.checking import check_catalog
from tierwise.metrics.compute import compute
from tierwise.metrics.reading import parse_catalog

__all__ = ["check_catalog", "compute", "parse_catalog"]
