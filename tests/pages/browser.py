"""A headless Chromium for tests, where there is one."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """Return the browser: $CHROMIUM, or the first that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def needed() -> str:
    """Return why tests in a browser cannot run here; "" where they can."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed (pip install '.[dev]')"
    return "" if program() else f"no browser: install one of {', '.join(NAMES)}, or name one in CHROMIUM"


in_browser = pytest.mark.skipif(bool(needed()), reason=needed() or "a browser is there")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the browser; its sandbox needs rights that containers and root lack, and it sees pages of ours only."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - may be missing

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def axe_source() -> str:
    """Return axe-core, which a package for tests brings."""
    found = importlib.util.find_spec("axe_playwright_python")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")


def faults(page: Any) -> list[str]:
    """Return what axe finds serious or critical on a page whose context bypasses the policy."""
    page.evaluate(axe_source())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


class Opened:
    """A page in the browser, and what it asked for and complained of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        page.on("console", lambda one: self.complaints.append(one.text) if one.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda one: self.requests.append(one.url))
        page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


Open = Callable[..., Opened]


@contextmanager
def pages_of(browser: Any) -> Iterator[Open]:
    """Give what opens an address at a width in a theme; `options` are those of Playwright's `new_context`."""
    contexts = []

    def opened(address: str, width: int = 1280, theme: str = "light", **options: Any) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.goto(address)
        return found

    try:
        yield opened
    finally:
        for context in contexts:
            context.close()
