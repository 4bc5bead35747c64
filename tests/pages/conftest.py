"""The browser, and pages opened in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages.browser import Open, chromium, pages_of
from tests.pages.samples import preview_page, report_html


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return one browser for the tests of a module: while it is open, its thread runs a loop, and no other can."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report's page."""
    path = tmp_path_factory.mktemp("pages") / "report.html"
    path.write_text(report_html(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def preview_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a preview."""
    path = tmp_path_factory.mktemp("pages") / "preview.html"
    path.write_text(preview_page(), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Open a file at a width in a theme; see `pages_of`."""
    with pages_of(browser) as opened:
        yield lambda path, *size, **options: opened(path.as_uri(), *size, **options)
