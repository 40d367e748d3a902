"""The pages of a pilot and of an attribution in a real browser: nothing missing or too wide, to be read by all."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.pages.browser import axe_script, faults, is_too_wide, printed_pages, show
from tests.reports.pilot_example import story
from tests.reports.test_attribution import REPORT
from tierwise.reports.pilot_page import pilot_page

NAMES = ("pilot", "attribution")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pilot-pages")
    for name, text in (("pilot", pilot_page(story())), ("attribution", REPORT.page())):
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_page_opens_without_complaint_and_fits_wide_and_narrow_windows(
    browser: WebDriver, pages: dict[str, Path], name: str
) -> None:
    for width in (1200, 500):
        assert show(browser, pages[name], width) == []
        assert not is_too_wide(browser)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_no_serious_fault_of_accessibility(browser: WebDriver, pages: dict[str, Path], name: str) -> None:
    script = axe_script()
    show(browser, pages[name])
    assert faults(browser, script) == []


@pytest.mark.parametrize(("name", "most"), [("pilot", 7), ("attribution", 5)])
def test_the_page_prints_on_a_few_sheets(browser: WebDriver, pages: dict[str, Path], name: str, most: int) -> None:
    assert 1 <= printed_pages(browser, pages[name]) <= most
