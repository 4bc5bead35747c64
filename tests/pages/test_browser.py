"""Pages in a browser: they do what they promise by mouse, touch and keyboard, and names do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.browser import Open, faults, in_browser
from tests.pages.samples import HOSTILE

pytestmark = in_browser

SIZES = pytest.mark.parametrize("width", [360, 1280, 2560])
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


@SIZES
@THEMES
def test_nothing_sticks_out_and_nothing_is_barred(report_file: Path, open_page: Open, width: int, theme: str) -> None:
    """At every width the page is as wide as the window; axe finds nothing serious in either theme."""
    opened = open_page(report_file, width, theme, bypass_csp=True)
    opened.page.wait_for_selector(".rows tbody tr")
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert opened.page.locator("#stage").bounding_box()["width"] > 0.6 * min(width, 1280) - 60
    assert faults(opened.page) == []


@SIZES
@THEMES
def test_a_preview_fits_too(preview_file: Path, open_page: Open, width: int, theme: str) -> None:
    """So does the page of `preview`."""
    opened = open_page(preview_file, width, theme, bypass_csp=True)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert faults(opened.page) == []


def test_a_preview_changes_the_quality(preview_file: Path, open_page: Open) -> None:
    """A quality is chosen in the viewer or in the table, which marks the one that is shown."""
    opened = open_page(preview_file)
    page = opened.page
    tag, marked = page.locator(".tag.right"), page.locator("tr[aria-current] .look")
    assert tag.inner_text() == "batchcomp 70, 9.0 kB"
    page.get_by_role("group", name="Quality").get_by_text("20").click()
    assert tag.inner_text() == "batchcomp 20, 9.0 kB"
    assert marked.get_attribute("data-level") == "quality 20"
    page.locator(".look").last.click()
    assert (tag.inner_text(), marked.get_attribute("data-view")) == ("batchcomp 70, 9.0 kB", "1")
    assert page.locator(".viewer-side .name").inner_text() == "b.jpg"
    assert opened.complaints == opened.dialogs == []


def test_names_do_nothing_and_no_network_is_asked(report_file: Path, open_page: Open) -> None:
    """Hostile names appear as text; the policy is not broken; only the file itself and data: URIs are loaded."""
    opened = open_page(report_file)
    page = opened.page
    page.fill("#search", "onerror")
    assert page.locator(".rows tbody th").all_inner_texts() == [HOSTILE[0]]
    page.locator(".rows .look").click()
    assert page.locator(".viewer-side .name").inner_text() == HOSTILE[0]
    page.fill("#search", "exe.jpg")
    assert page.locator(".rows tbody th").all_inner_texts() == ["\\u202egpj.exe.jpg"]
    page.fill("#search", "lines")
    assert page.locator(".rows tbody th").all_inner_texts() == ["two\\nlines\\x1b[31m.jpg"]
    assert page.locator("img[src='x']").count() == 0
    assert (opened.dialogs, opened.complaints) == ([], [])
    assert {url.partition(":")[0] for url in opened.requests} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in opened.requests) == 1


def test_the_policy_bars_scripts_that_are_not_the_pages(report_file: Path, open_page: Open) -> None:
    """Markup that got into the page by some way would not run: no inline script, no handler, no foreign picture."""
    opened = open_page(report_file)
    tries = """() => {
        const attempts = [
            () => { const s = document.createElement('script'); s.append('window.ran = 1'); document.body.append(s); },
            () => { const b = document.createElement('b'); b.setAttribute('onclick', 'window.ran = 2'); b.click(); },
            () => { document.body.innerHTML += '<img src=x onerror="window.ran = 3">'; },
            () => { document.body.append(Object.assign(new Image(), {src: 'https://example.org/x.png'})); },
        ];
        for (const attempt of attempts) { try { attempt(); } catch { /* barred */ } }
        return window.ran ?? 0;
    }"""
    assert opened.page.evaluate(tries) == 0
    assert any("Content Security Policy" in one for one in opened.complaints)


def test_axe_would_find_a_fault(open_page: Open, tmp_path: Path) -> None:
    """The check that pages pass is not blind: a picture without a text and pale letters are found."""
    page = tmp_path / "bad.html"
    page.write_text("<!doctype html><title>x</title><img src='data:,'><p style='color:#ccc'>pale", encoding="utf-8")
    assert {one.partition(":")[0] for one in faults(open_page(page).page)} >= {"image-alt", "color-contrast"}


@SIZES
def test_the_line_follows_the_mouse(report_file: Path, open_page: Open, width: int) -> None:
    """Dragging moves the line, and what is right of it is cut from the left picture."""
    page = open_page(report_file, width).page
    stage = page.locator("#stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, middle, steps=4)
    page.mouse.up()
    assert int(page.locator(".divider").get_attribute("aria-valuenow")) == pytest.approx(25, abs=1)
    cut = page.locator(".layer.right").evaluate("e => e.style.clipPath")
    assert float(cut.removesuffix("%)").rpartition(" ")[2]) == pytest.approx(25, abs=1)


def test_the_line_follows_a_finger(report_file: Path, open_page: Open) -> None:
    """Touch moves the line too."""
    page = open_page(report_file, 360, has_touch=True, is_mobile=True).page
    stage = page.locator("#stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    line = page.locator(".divider").bounding_box()
    session = page.context.new_cdp_session(page)
    middle = box["y"] + box["height"] / 2

    def touch(kind: str, *xs: float) -> None:
        points = [{"x": x, "y": middle} for x in xs]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", line["x"] + line["width"] / 2)
    for share in (0.6, 0.7, 0.8):
        touch("touchMove", box["x"] + share * box["width"])
    touch("touchEnd")
    assert int(page.locator(".divider").get_attribute("aria-valuenow")) == pytest.approx(80, abs=2)


def test_the_keyboard_does_it_all(report_file: Path, open_page: Open) -> None:
    """Arrows move the line, + - 0 1 zoom, M shows the map, brackets change the picture."""
    page = open_page(report_file).page
    line, zoom = page.locator(".divider"), page.get_by_label("Zoom", exact=True).locator("output")
    line.focus()
    for key, at in [("ArrowLeft", "48"), ("Shift+ArrowRight", "58"), ("Home", "0"), ("End", "100"), ("PageDown", "90")]:
        line.press(key)
        assert line.get_attribute("aria-valuenow") == at
    fit = zoom.inner_text()
    line.press("1")
    assert zoom.inner_text() == "100 %"
    line.press("+")
    line.press("+")
    assert zoom.inner_text() == "400 %"
    line.press("-")
    assert zoom.inner_text() == "200 %"
    line.press("0")
    assert zoom.inner_text() == fit
    assert page.locator(".layer.right .map").is_hidden()
    line.press("m")
    assert page.locator(".layer.right .map").is_visible()
    line.press("]")
    assert page.locator(".viewer-side .name").inner_text() == HOSTILE[1]
    line.press("[")
    assert page.locator(".viewer-side .name").inner_text() == HOSTILE[0]


def test_zoomed_pixels_are_sharp_and_move(report_file: Path, open_page: Open) -> None:
    """At eight to one the pixels are squares, and dragging moves the picture, not the line."""
    page = open_page(report_file).page
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    stage = page.locator("#stage")
    assert page.locator(".layer.right").evaluate("e => getComputedStyle(e.firstChild).imageRendering") == "pixelated"
    before = page.locator(".layer.right img").first.evaluate("e => e.style.transform")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 120, steps=3)
    page.mouse.up()
    assert page.locator(".layer.right img").first.evaluate("e => e.style.transform") != before
    assert page.locator(".divider").get_attribute("aria-valuenow") == "50"


def test_versions_are_chosen_for_each_side(report_file: Path, open_page: Open) -> None:
    """Each side shows any of the versions, and its label names it with its bytes."""
    page = open_page(report_file).page
    tags = page.locator(".tag")
    assert tags.all_inner_texts() == ["Original", "batchcomp, 9.0 kB"]
    page.get_by_role("group", name="Left").get_by_text("JPEG").click()
    page.get_by_role("group", name="Right").get_by_text("Compact").click()
    assert tags.all_inner_texts() == ["JPEG, 9.0 kB", "Compact, 9.0 kB"]
    assert page.locator(".layer.left img").first.evaluate("e => [e.naturalWidth, e.naturalHeight]") == [128, 96]
    assert page.locator(".layer.right img").first.evaluate("e => [e.naturalWidth, e.naturalHeight]") == [64, 48]


def test_the_theme_can_be_chosen(report_file: Path, open_page: Open) -> None:
    """The button goes from the system's theme to light and dark."""
    page = open_page(report_file, theme="light").page
    colour = "getComputedStyle(document.body).backgroundColor"
    light, button = page.evaluate(colour), page.locator("#theme")
    button.click()
    button.click()
    assert button.inner_text() == "Theme: dark"
    assert page.evaluate(colour) != light
