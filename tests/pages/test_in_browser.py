"""Pages in a real browser: the pack is searched, sorted, filtered, clicked through; one-pagers print to one sheet."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.pages.browser import axe_script, faults, is_too_wide, printed_pages, show, wait
from tests.pages.full_page import PAGES
from tests.pages.written_review import HOSTILE, pages_workspace, write_pages_review
from tierwise.config.load import Workspace
from tierwise.jobs.explain import open_review
from tierwise.jobs.letters import letter
from tierwise.jobs.review_pack import PackRequest, write_pack
from tierwise.reports import letter as letter_report
from tierwise.reports.partner_page import as_html

WIDTHS = (1200, 500)  # Chromium's window is never narrower than 500
LETTER = "P000003"  # on watch: the longest letter


def _rows(browser: WebDriver) -> list[str]:
    """The ids of the partners that the list shows, from the top."""
    shown = "Array.from(document.querySelectorAll('#rows tr')).filter(row => !row.hidden)"
    return list(browser.execute_script(f"return {shown}.map(row => row.querySelector('.id').textContent)"))


def _status(browser: WebDriver) -> str:
    return browser.find_element(By.ID, "said").text


@pytest.fixture
def index(browser: WebDriver, pack_folder: Path) -> WebDriver:
    assert show(browser, pack_folder / "index.html") == []
    return browser


def test_searching_shows_whom_it_fits_and_says_how_many(index: WebDriver) -> None:
    assert len(_rows(index)) == 48
    index.find_element(By.ID, "search").send_keys("p000040")
    wait(index).until(lambda browser: _rows(browser) == ["P000040"])
    assert _status(index) == "1 of 48 partners shown"
    index.find_element(By.ID, "clear").click()
    wait(index).until(lambda browser: len(_rows(browser)) == 48)


def test_filters_narrow_the_list_together(index: WebDriver) -> None:
    Select(index.find_element(By.ID, "filter-action")).select_by_value("demote")
    wait(index).until(lambda browser: len(_rows(browser)) == 8)
    Select(index.find_element(By.ID, "filter-archetype")).select_by_value("Fast growers")
    wait(index).until(lambda browser: _status(browser) == "0 of 48 partners shown")
    assert _rows(index) == []
    Select(index.find_element(By.ID, "filter-archetype")).select_by_value("Steady sellers")
    wait(index).until(lambda browser: _status(browser) == "8 of 48 partners shown")
    assert len(_rows(index)) == 8


def test_sorting_by_keyboard_is_said_to_screen_readers(index: WebDriver) -> None:
    button = next(one for one in index.find_elements(By.CSS_SELECTOR, "#partners ~ * .sort") if "Potential" in one.text)
    header = button.find_element(By.XPATH, "..")
    script = "return Array.from(document.querySelectorAll('#rows tr')).map(r => Number(r.cells[5].dataset.value))"
    for key, direction, falling in ((Keys.ENTER, "ascending", False), (Keys.SPACE, "descending", True)):
        button.send_keys(key)
        wait(index).until(lambda _, wanted=direction: header.get_attribute("aria-sort") == wanted)
        values = list(index.execute_script(script))
        assert values == sorted(values, reverse=falling)


def test_a_partner_opens_from_the_list_and_leads_back(index: WebDriver) -> None:
    link = index.find_element(By.CSS_SELECTOR, "#p40 a")
    index.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
    link.click()
    wait(index).until(lambda browser: browser.find_elements(By.CSS_SELECTOR, ".ladder"))
    assert "Partner 40" in index.find_element(By.TAG_NAME, "h1").text
    index.find_element(By.CSS_SELECTOR, ".back a").click()
    wait(index).until(lambda browser: browser.find_elements(By.ID, "rows"))


def test_hostile_names_are_text_and_run_nothing(index: WebDriver) -> None:
    assert index.title.startswith("Partner review")
    shown = index.find_element(By.ID, "rows").text
    assert "<script>document.title" in shown
    assert "{{ 7 * 7 }}" in shown
    assert not index.find_elements(By.CSS_SELECTOR, "img, iframe, h1 + h1")
    assert len(index.find_elements(By.TAG_NAME, "h1")) == 1


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_one_pager_fits_the_screen_whatever_the_name(
    browser: WebDriver, pack_folder: Path, number: int, width: int
) -> None:
    assert show(browser, pack_folder / "partners" / f"P{number:06d}.html", width) == []
    assert not is_too_wide(browser)
    assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_one_pager_prints_to_one_sheet(browser: WebDriver, pack_folder: Path, number: int) -> None:
    assert printed_pages(browser, pack_folder / "partners" / f"P{number:06d}.html") == 1


@pytest.mark.parametrize("fullness", PAGES)
def test_a_one_pager_prints_to_one_sheet_however_full_it_is(browser: WebDriver, tmp_path: Path, fullness: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(as_html(PAGES[fullness]), "utf-8")
    assert printed_pages(browser, page) == 1
    show(browser, page, WIDTHS[1])
    assert not is_too_wide(browser)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_index_fits_the_screen(browser: WebDriver, pack_folder: Path, width: int) -> None:
    show(browser, pack_folder / "index.html", width)
    assert not is_too_wide(browser)


def test_a_partner_among_many_is_found_and_opened_on_its_list(browser: WebDriver, tmp_path: Path) -> None:
    workspace = pages_workspace(tmp_path / "workspace")
    write_pages_review(workspace, 2_100)
    write_pack(PackRequest(open_review(workspace), tmp_path / "pack", pages=1))
    assert show(browser, tmp_path / "pack" / "index.html") == []
    browser.find_element(By.ID, "search").send_keys("p002050")
    wait(browser).until(lambda found: found.find_elements(By.CSS_SELECTOR, "#hits a"))
    link = browser.find_element(By.CSS_SELECTOR, "#hits a")
    assert link.text == "Partner 2,050 (P002050)"
    link.click()
    wait(browser).until(lambda found: found.find_elements(By.CSS_SELECTOR, "#p2050:target"))
    assert "P002050" in browser.find_element(By.ID, "p2050").text


@pytest.fixture(scope="module")
def letter_page(reviewed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("letters") / "letter.html"
    page.write_text(letter_report.as_html(letter(reviewed, LETTER)), "utf-8")
    return page


def test_the_letter_fits_the_screen_and_few_sheets(browser: WebDriver, letter_page: Path) -> None:
    assert printed_pages(browser, letter_page) <= 2
    for width in WIDTHS:
        assert show(browser, letter_page, width) == []
        assert not is_too_wide(browser)


@pytest.mark.parametrize("name", ["index.html", "partners/P000001.html", "partners/P000003.html", "letter"])
def test_no_page_has_a_serious_fault_of_accessibility(
    browser: WebDriver, pack_folder: Path, letter_page: Path, name: str
) -> None:
    script = axe_script()
    show(browser, letter_page if name == "letter" else pack_folder / name)
    assert faults(browser, script) == []


def test_the_checker_sees_a_fault(browser: WebDriver, tmp_path: Path) -> None:
    script = axe_script()
    page = tmp_path / "faulty.html"
    page.write_text("<!doctype html><html><title>x</title><p style='color:#ccc'>pale</p><button></button>", "utf-8")
    show(browser, page)
    found = " ".join(faults(browser, script))
    assert "color-contrast" in found
    assert "button-name" in found
