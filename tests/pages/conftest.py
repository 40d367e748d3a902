"""One browser and one written pack for all tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.pages.browser import open_browser
from tests.pages.written_review import pages_workspace, write_pages_review
from tierwise.config.load import Workspace
from tierwise.jobs.explain import open_review
from tierwise.jobs.review_pack import PackRequest, write_pack


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a review of 48 partners, 36 of them with hostile names."""
    workspace = pages_workspace(tmp_path_factory.mktemp("pages") / "workspace")
    write_pages_review(workspace, 48)
    return workspace


@pytest.fixture(scope="session")
def pack_folder(reviewed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its review pack, with a one-pager of everybody."""
    folder = tmp_path_factory.mktemp("pack") / "pack"
    write_pack(PackRequest(open_review(reviewed), folder))
    return folder


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """A headless Chromium, started once."""
    with open_browser(tmp_path_factory.mktemp("profile")) as started:
        yield started
