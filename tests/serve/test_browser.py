"""The gallery in a browser: it scrolls, searches, restores and compares, by mouse and keyboard; names do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archive.samples import sample_row, write_archive
from tests.pages.browser import Open, Opened, chromium, faults, in_browser, pages_of
from tests.serve.samples import NAME, spoil, started

pytestmark = in_browser

SIZES = pytest.mark.parametrize("width", [360, 1280, 2560])
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
MANY = 3000
# Whether tiles are all known, and one of them lies some 300 pixels below the window's top.
IN_SIGHT = """tiles => tiles.length && tiles.every(one => one.dataset.key) && tiles.some(one => {
  const box = one.getBoundingClientRect();
  return box.top < 400 && box.bottom > 300;
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def served(made: Path, tiny_model: Path) -> Iterator[str]:
    """Return the address of a gallery of pictures of all kinds, beside their originals."""
    process, address = started(made, "--model", str(tiny_model))
    yield address
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a gallery of many pictures, none of which can be shown."""
    folder = tmp_path_factory.mktemp("many") / "many.bca"
    write_archive(folder, [(sample_row(f"{n % 7}/{n:05}.jpg", mtime_ns=n * 10**9), b"%d" % n) for n in range(MANY)])
    spoil(folder, "000001.zip", 100)
    process, address = started(folder)
    yield address
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture
def open_at(browser: Any) -> Iterator[Open]:
    """Open an address at a width in a theme, and wait for the first picture; see `pages_of`."""
    with pages_of(browser) as opened:

        def shown(*where: Any, **options: Any) -> Opened:
            found = opened(*where, **options)
            found.page.wait_for_selector(".tile[data-key]")
            return found

        yield shown


def until(page: Any, expression: str, arg: object = None) -> None:
    """Wait until something is true; Playwright's own way needs what the page's policy bars."""
    for _ in range(600):
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {expression}")


def names(page: Any) -> list[str]:
    tiles = page.locator(".tile[data-key]").evaluate_all(
        "e => e.map(one => [+one.dataset.index, one.querySelector('.caption').innerText.trim()])"
    )
    return [name for _, name in sorted(tiles)]


@SIZES
@THEMES
def test_nothing_sticks_out_and_axe_finds_nothing(served: str, open_at: Open, width: int, theme: str) -> None:
    """The list, one picture, and the slider: at every width, in either theme."""
    opened = open_at(served, width, theme, bypass_csp=True)
    page = opened.page
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) == width
    assert faults(page) == []
    page.get_by_role("button", name="a.png", exact=True).click()
    page.wait_for_selector("#box-stage img:not(.low)")
    assert page.evaluate("byId('lightbox').scrollWidth") == width
    assert faults(page) == []
    page.get_by_role("button", name="Compare versions").click()
    page.wait_for_selector(".compare .divider")
    assert page.evaluate(
        "document.querySelector('.compare').scrollWidth <= document.querySelector('.compare').clientWidth"
    )
    assert faults(page) == []
    assert opened.complaints == opened.dialogs == []


def test_names_do_nothing(served: str, open_at: Open) -> None:
    """A hostile name is text on its tile and in its picture; only this server is asked."""
    opened = open_at(served)
    page = opened.page
    page.fill("#text", "onerror")
    until(page, "grid.total === 1")
    assert names(page) == [NAME]
    page.locator(".tile .open").click()
    page.wait_for_selector("#box-stage img:not(.low)")
    assert page.locator("#box-name").inner_text() == NAME
    assert page.locator("img[src='x']").count() == 0
    assert opened.complaints == opened.dialogs == []
    assert {url.split("/")[2] for url in opened.requests if url.startswith("http")} == {served.split("/")[2]}


def test_the_keyboard_does_it_all(served: str, open_at: Open) -> None:
    """Arrows walk over the tiles, Enter opens, arrows turn over, Escape closes and leaves the focus where one is."""
    page = open_at(served).page
    page.locator(".tile .open").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.closest('li').dataset.index") == "1"
    page.keyboard.press("Enter")
    page.wait_for_selector("#box-stage img")
    first = page.locator("#box-name").inner_text()
    page.keyboard.press("ArrowRight")
    until(page, "name => byId('box-name').innerText !== name", arg=first)
    page.wait_for_selector("#box-stage img:not(.low)")
    page.keyboard.press("z")
    assert page.locator("#box-stage").evaluate("e => e.classList.contains('large')")
    page.keyboard.press("Escape")
    until(page, "document.activeElement.closest('li')?.dataset.index === '2'")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.closest('li').dataset.index") == "6"


def test_a_picture_is_compared_with_its_original(served: str, open_at: Open) -> None:
    """The slider of reports, with the original on the left; the arrows move its line and turn no picture over."""
    page = open_at(served).page
    page.get_by_role("button", name="a.png", exact=True).click()
    page.get_by_role("button", name="Compare versions").click()
    line = page.locator(".compare .divider")
    line.wait_for()
    assert page.locator(".tag.left").inner_text() == "Original"
    assert page.locator(".tag.right").inner_text().startswith("batchcomp, ")
    line.press("ArrowLeft")
    assert line.get_attribute("aria-valuenow") == "48"
    assert page.locator("#box-name").inner_text() == "a.png"
    page.get_by_role("button", name="Compare versions").click()
    assert page.locator(".compare").count() == 0


def test_the_address_keeps_what_is_looked_for(served: str, open_at: Open) -> None:
    """Folder, words, order and picture stand in it: another window shows the same."""
    page = open_at(served).page
    page.get_by_role("link", name="sea").click()
    until(page, "grid.total === 3")
    page.select_option("#order", "largest")
    until(page, "location.hash.includes('largest')")
    page.get_by_role("button", name="sea/turned.jpg").click()
    until(page, "location.hash.includes('picture')")
    other = open_at(page.url).page
    other.wait_for_selector("#box-stage img:not(.low)")
    assert other.locator("#box-name").inner_text() == "sea/turned.jpg"
    assert other.input_value("#order") == "largest"
    assert other.evaluate("grid.total") == 3
    page.keyboard.press("Escape")
    page.get_by_role("link", name="All folders").click()
    until(page, "grid.total === 7")


def test_a_day_is_a_day_here(served: str, open_at: Open) -> None:
    """Nothing is older than 1970; all of it lies before tomorrow."""
    page = open_at(served, timezone_id="Pacific/Kiritimati").page
    page.fill("#until", "1970-01-01")
    until(page, "!document.getElementById('empty').hidden")
    assert page.locator("#empty").inner_text() == "Nothing matches."
    page.fill("#until", "")
    page.fill("#since", "1970-01-02")
    until(page, "grid.total === 7")


def test_thousands_scroll_with_few_elements(crowded: str, open_at: Open) -> None:
    """Only what is in sight is in the page, wherever one is; the last is as near as the first."""
    page = open_at(crowded).page
    assert page.evaluate("grid.total") == MANY
    for share in (0.5, 1, 0.25):
        page.evaluate("share => scrollTo(0, share * document.documentElement.scrollHeight)", share)
        until(page, f"({IN_SIGHT})([...document.querySelectorAll('.tile')])")  # tiles are drawn a frame later
        assert page.locator(".tile").count() < 120
    page.evaluate("grid.focus(grid.total - 1)")
    page.wait_for_selector(f".tile[data-index='{MANY - 1}'][data-key]")
    assert names(page)[-1] == f"{max(n for n in range(MANY) if n % 7 == 6):05}.jpg"


def test_what_is_broken_says_so_on_its_tile_and_opened(crowded: str, open_at: Open) -> None:
    """One clear sign each, and the reason in words; the rest of the gallery works."""
    page = open_at(crowded).page
    page.wait_for_selector(".tile.broken")
    assert page.locator(".tile.broken .sorry").first.inner_text() == "Cannot be shown"
    page.locator(".tile .open").first.click()
    page.wait_for_selector(".box-status.bad")
    assert page.locator(".box-status").inner_text().startswith("Cannot be shown: ")
    page.keyboard.press("ArrowRight")
    until(page, "byId('box-name').innerText.endsWith('00007.jpg')")
