"""Tables: the contract that received rows must keep, what was accepted, and the schemas of the output tables."""

from tierwise.tables.check import check_tables
from tierwise.tables.fingerprint import fingerprint
from tierwise.tables.result import CheckResult, RuleHits, TableCheck

__all__ = ["CheckResult", "RuleHits", "TableCheck", "check_tables", "fingerprint"]
