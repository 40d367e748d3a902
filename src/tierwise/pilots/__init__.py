"""Pilots: design, assignment and analysis of controlled tests, and attribution where nobody randomised."""
