"""A headless Chromium for tests of pages, and the accessibility checker; both skip visibly where they are absent."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 60
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--allow-file-access-from-files=false",
)  # fmt: skip
AXE, AXE_VERSION = "axe-core", "4.11.0"
AXE_INTEGRITY = "ilYanEU8vxxBexpJd8cWM4ElSQq4QctCLKih0TSfjIfCQTeyH/6zVrmIJfLPrKTKJRbiG+cfnZbQIjAlJmF1jQ=="
# Read before any test hides it.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tierwise-tests"


@contextmanager
def open_browser(profile: Path) -> Iterator[WebDriver]:
    """Start Debian's Chromium with a profile of its own; it reaches no network."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium or chromedriver on this machine (Debian: chromium, chromium-driver)")
    options = Options()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        browser = webdriver.Chrome(options=options, service=Service(driver, log_output=subprocess.DEVNULL))
    except WebDriverException as error:
        pytest.skip(f"chromium does not start here: {str(error).splitlines()[0]}")
    try:
        browser.set_script_timeout(PATIENCE)
        browser.set_page_load_timeout(PATIENCE)
        yield browser
    finally:
        browser.quit()


def wait(browser: WebDriver) -> WebDriverWait[WebDriver]:
    """Wait for something on a busy machine."""
    return WebDriverWait(browser, PATIENCE)


def show(browser: WebDriver, page: Path, width: int = 1200, height: int = 1000) -> list[str]:
    """Open a page from the disk; returns what the browser complained about."""
    browser.set_window_size(width, height)
    browser.get_log("browser")
    browser.get(page.resolve().as_uri())
    return [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]


def printed_pages(browser: WebDriver, page: Path) -> int:
    """Print a page to PDF as a person would, and count the sheets."""
    show(browser, page)
    asked = {"preferCSSPageSize": True, "printBackground": True, "displayHeaderFooter": False}
    content = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", asked)["data"])
    assert content.startswith(b"%PDF-")
    sheets = [int(number) for number in re.findall(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)", content, flags=re.DOTALL)]
    leaves = len(re.findall(rb"/Type\s*/Page\b", content))
    assert max(sheets, default=leaves) == leaves, "the file's own count and its pages agree"
    return leaves


def is_too_wide(browser: WebDriver) -> bool:
    """Whether the page as a whole scrolls sideways."""
    script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
    return bool(browser.execute_script(script))


def axe_script() -> str:
    """The accessibility checker's script, of a fixed version with a fixed hash, kept outside of the repository."""
    place = CACHE / f"{AXE}-{AXE_VERSION}.tgz"
    if not place.is_file() or not _is_axe(place):
        _fetch_axe(place)
    with tarfile.open(place) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode("utf-8")


def _fetch_axe(place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine to fetch axe-core with")
    place.parent.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"{AXE}@{AXE_VERSION}", "--silent", "--pack-destination", str(place.parent)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=place.parent)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm could not fetch {AXE} {AXE_VERSION}: {type(error).__name__}")
    assert _is_axe(place), f"{AXE} {AXE_VERSION} does not have the hash that is pinned here"


def _is_axe(place: Path) -> bool:
    return base64.b64encode(hashlib.sha512(place.read_bytes()).digest()).decode() == AXE_INTEGRITY


def faults(browser: WebDriver, script: str) -> list[str]:
    """What the checker finds on the open page: everything serious or critical, and every fault of contrast."""
    browser.execute_script(script)
    run = (
        "const done = arguments[arguments.length - 1];"
        "const said = one => [one.impact, one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))];"
        "axe.run(document, {resultTypes: ['violations']})"
        ".then(found => done(found.violations.map(said)), error => done(String(error)))"
    )
    found = browser.execute_async_script(run)
    assert isinstance(found, list), found
    grave = ("serious", "critical")
    return [f"{impact} {rule}: {nodes}" for impact, rule, nodes in found if impact in grave or rule == "color-contrast"]
