"""Pilots: design, assignment and analysis of controlled tests, and attribution where nobody randomised.

Plain frames and frozen settings (`tierwise.config.pilot`) in, result rows out; no workspace is needed. Which method
when, and what each assumes: docs/pilots.md.
"""

from tierwise.pilots.analysis import Analysis, analyse
from tierwise.pilots.assignment import Assignment, assign, assignment_hash
from tierwise.pilots.balance import balance_table
from tierwise.pilots.discontinuity import threshold_effect
from tierwise.pilots.dose import dose_slope
from tierwise.pilots.observed import before_after, compare_observed
from tierwise.pilots.off_policy import off_policy
from tierwise.pilots.power import Plan, plan
from tierwise.pilots.results import ASSUMPTIONS, GRADES, REASONS, RESULT_SCHEMA, Result, to_frame, to_rows
from tierwise.pilots.returns import published_summary, returns
from tierwise.pilots.rollouts import one_region, staggered
from tierwise.pilots.verdict import Verdict, decide

__all__ = [
    "ASSUMPTIONS",
    "GRADES",
    "REASONS",
    "RESULT_SCHEMA",
    "Analysis",
    "Assignment",
    "Plan",
    "Result",
    "Verdict",
    "analyse",
    "assign",
    "assignment_hash",
    "balance_table",
    "before_after",
    "compare_observed",
    "decide",
    "dose_slope",
    "off_policy",
    "one_region",
    "plan",
    "published_summary",
    "returns",
    "staggered",
    "threshold_effect",
    "to_frame",
    "to_rows",
]
