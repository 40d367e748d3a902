"""The pictures of docs/images: `python -m tools.pictures` makes the pages of ready workspaces and takes them.

Needs Debian's chromium and chromedriver. The demo is always taken; Olist where `--data` (or TIERWISE_DATA) names the
folder of its files.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

from tierwise.config.load import Workspace, load_workspace
from tierwise.jobs.demo import demo
from tierwise.jobs.explain import explain_partner, open_review
from tierwise.jobs.init import InitRequest, init
from tierwise.jobs.letters import letter
from tierwise.jobs.review_pack import PackRequest, summarise_pack, write_pack
from tierwise.jobs.score import ScoreRequest, score
from tierwise.jobs.train import train
from tierwise.reports import letter as letter_report
from tierwise.reports import partner_page
from tierwise.reports.pack import Pack

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
MOST_BYTES = 300_000
COLOURS = 64
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
OLIST_DAYS = (date(2017, 12, 31), date(2018, 3, 31), date(2018, 6, 30))
OLIST_TODAY = date(2018, 11, 30)


@dataclass(frozen=True)
class Picture:
    """One picture: the page, the picture's name, its width, and the most of its height that is taken."""

    page: Path
    name: str
    width: int
    most_height: int = 4_000


def main() -> int:
    """Make the workspaces, their pages and the pictures; the answer is "no" when one is too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("TIERWISE_DATA"), help="the folder of Olist's files"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the workspaces; one that is there is taken as it is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        pictures = _pictures(_demo(folder / "demo"), "demo")
        if given.data:
            pictures += _pictures(_olist(folder / "olist", Path(given.data)), "olist")
        with _browser(Path(scratch) / "profile") as browser:
            sizes = {picture.name: _take(browser, picture) for picture in pictures}
    for name, size in sizes.items():
        print(f"{name}: {size:,} bytes{'' if size <= MOST_BYTES else ', too large'}")
    return 0 if max(sizes.values()) <= MOST_BYTES else 1


def _demo(folder: Path) -> Workspace:
    if not folder.exists():
        demo(folder)
    return load_workspace(folder)


def _olist(folder: Path, data: Path) -> Workspace:
    if not folder.exists():
        init(InitRequest(folder, "olist"))
        workspace = load_workspace(folder, data)
        train(workspace, OLIST_DAYS[-1], OLIST_TODAY)
        for day in OLIST_DAYS:
            score(workspace, ScoreRequest(day, OLIST_TODAY))
    return load_workspace(folder, data)


def _pictures(workspace: Workspace, name: str) -> list[Picture]:
    source = open_review(workspace)
    pack = summarise_pack(source)
    folder = workspace.output_folder / "pictures"
    written = Path(write_pack(PackRequest(source, folder / "pack", pages=20)).folder)
    one, other = folder / "one-pager.html", folder / "letter.html"
    one.write_text(partner_page.as_html(explain_partner(workspace, _with_a_plan(workspace, pack))), "utf-8")
    other.write_text(letter_report.as_html(letter(workspace, _at_risk(workspace, pack))), "utf-8")
    return [
        Picture(one, f"one-pager-{name}.png", 1040),
        Picture(other, f"letter-{name}.png", 860),
        Picture(written / "index.html", f"review-pack-{name}.png", 1280, 1_250),
    ]


def _with_a_plan(workspace: Workspace, pack: Pack) -> str:
    """Who shows most on one page: rises and has a plan to the tier above."""
    rising = [row.partner_id for row in pack.movers if row.action == "promote"]
    near = [row.partner_id for row in pack.near_misses]
    for partner in (*rising, *near):
        page = explain_partner(workspace, partner)
        if page.plans and page.peers:
            return partner
    return (*rising, *near, pack.partners[0].partner_id)[0]


def _at_risk(workspace: Workspace, pack: Pack) -> str:
    """Who is warned, and told what is missing."""
    watched = [row.partner_id for row in pack.at_risk if row.action == "watch"]
    for partner in watched:
        if letter(workspace, partner).steps:
            return partner
    return (*watched, *(row.partner_id for row in pack.at_risk), pack.partners[0].partner_id)[0]


@contextmanager
def _browser(profile: Path) -> Iterator[WebDriver]:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        sys.exit("no chromium or chromedriver on this machine (Debian: chromium, chromium-driver)")
    options = Options()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def _take(browser: WebDriver, picture: Picture) -> int:
    """Take a picture of a page from its top; returns its size."""
    metrics = {"width": picture.width, "height": 400, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(picture.page.resolve().as_uri())
    height = min(browser.execute_script("return document.documentElement.scrollHeight"), picture.most_height)
    clip = {"x": 0, "y": 0, "width": picture.width, "height": height, "scale": 1}
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    IMAGES.mkdir(parents=True, exist_ok=True)
    place = IMAGES / picture.name
    # Pages have few colours; a palette keeps letters sharp in a third of the bytes.
    with Image.open(BytesIO(base64.b64decode(taken["data"]))) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(place, optimize=True)
    return place.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
