"""Audit: whether the partners that a model meets still look like those it learned from."""
