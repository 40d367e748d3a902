"""Tierwise: partner archetypes, potential, tiers and their reasons, and pilots that prove what tiers do."""

__version__ = "0.1.0"
