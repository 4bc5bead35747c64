"""The browser, and pages opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages.browser import Opened, chromium
from tests.pages.samples import preview_page, report_html

Open = Callable[..., Opened]


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
    """Open a file at a width in a theme; `options` are those of Playwright's `new_context`."""
    contexts = []

    def opened(path: Path, width: int = 1280, theme: str = "light", **options: Any) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.goto(path.as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()
