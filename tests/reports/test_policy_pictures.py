"""The policy pictures hold long names and many reviews, and say directions by shape as well as by colour."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest

from tierwise.reports.policy_pictures import LETTER, LETTERS, movement_matrix_svg, shares_svg

TIERS = ("Registered member", "Advanced Plus specialisation in cloud services", "Élite <global>")
MATRIX = pd.DataFrame(
    [(before, after, 7) for before in TIERS for after in TIERS], columns=["from_tier", "to_tier", "reviews"]
)


def _outside(picture: str) -> list[str]:
    """The texts that, by an upper estimate of their width, do not lie inside the picture."""
    root = ElementTree.fromstring(picture)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    found = []
    for text in (element for element in root.iter() if element.tag.endswith("text")):
        x, length = float(text.attrib["x"]), LETTER * len(text.text or "")
        left = {"start": x, "middle": x - length / 2, "end": x - length}[text.attrib["text-anchor"]]
        if left < -1 or left + length > width + 1 or not 0 < float(text.attrib["y"]) < height:
            found.append(text.text or "")
    return found


@pytest.mark.parametrize("tiers", [TIERS, TIERS[:1], ("a", "b", "c", "d", "e", "f", "g")])
def test_names_of_any_length_lie_inside_the_matrix(tiers: tuple[str, ...]) -> None:
    moves = MATRIX[MATRIX["from_tier"].isin(tiers) & MATRIX["to_tier"].isin(tiers)]
    assert _outside(movement_matrix_svg(moves, tiers, "x")) == []


def test_a_name_too_long_is_cut_with_a_sign_of_it() -> None:
    picture = movement_matrix_svg(MATRIX, TIERS, "x")
    assert f"{TIERS[1][: LETTERS - 1]}…" in picture


def test_directions_are_told_without_colour() -> None:
    picture = movement_matrix_svg(MATRIX, TIERS, "x")
    assert picture.count("▲ 7") == picture.count("▼ 7") == 3
    assert "▲ to a higher tier" in picture


@pytest.mark.parametrize("reviews", [1, 12, 60, 240])
def test_any_number_of_reviews_fits_and_no_date_covers_another(reviews: int) -> None:
    days = pd.date_range("2006-01-31", periods=reviews, freq="ME")
    shares = pd.DataFrame([(day, tier, 1 / 3) for day in days for tier in TIERS], columns=["as_of", "tier", "share"])
    picture = shares_svg(shares, TIERS, "y")
    assert _outside(picture) == []
    places = [float(x) for x in re.findall(r'<text x="(\d+)"[^>]*>\d{4}-\d{2}<', picture)]
    assert all(later - earlier >= LETTER * 7 for earlier, later in pairwise(places))
    assert float(ElementTree.fromstring(picture).attrib["width"]) <= 1300
    assert "share of partners" in picture
