"""Pages as files: closed to markup in data, and never in place of a file that is not ours."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import re
from pathlib import Path

import pytest

from batchcomp.errors import FileError, UsageError
from batchcomp.pages.document import as_json, check_target, write_page
from tests.pages.samples import HOSTILE, report_html


@pytest.mark.parametrize("text", [*HOSTILE, "\u2028", "\udcff", "]]>", "<!--<script>"])
def test_json_in_a_page_ends_no_script(text: str) -> None:
    """The JSON is ASCII without <, > and &, and reads back as what it was."""
    found = str(as_json({"name": text}))
    assert found.isascii()
    assert not set(found) & set("<>&\n")
    assert json.loads(found) == {"name": text}


def test_the_policy_names_the_script_and_the_style_of_the_page() -> None:
    """The hashes in the policy are those of the one script and the one style; nothing else is allowed."""
    page = report_html(8)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    for name, pattern in (("script-src", r"<script>(.*?)</script>"), ("style-src", r"<style>(.*?)</style>")):
        (content,) = re.findall(pattern, page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name} &#39;sha256-{digest}&#39;;" in policy
    assert policy.startswith("default-src &#39;none&#39;;")
    assert "unsafe" not in policy
    assert " on" not in " ".join(
        re.findall(r"<[a-z][^>]*>", re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL))
    )


def test_names_reach_the_page_escaped_only() -> None:
    """No hostile name stands in the page as it is, but for one that is hostile to templates only: it is no template."""
    page = report_html(20)
    assert [name for name in HOSTILE if name in page] == ["{{ 7 * 7 }} {% raw %}.jpg"]
    assert "a&lt;b&gt;&amp;.bca" in page


def test_a_page_takes_the_place_of_a_page_only(tmp_path: Path) -> None:
    """A nightly report is written anew; a photo, another page or a folder of that name is left alone."""
    page = report_html(3)
    target = tmp_path / "report.html"
    assert write_page(target, page) == len(page.encode()) == target.stat().st_size
    assert write_page(target, page) == target.stat().st_size
    other = tmp_path / "mine.html"
    other.write_text("<p>mine", encoding="utf-8")
    for path, said in [(other, "no page of batchcomp"), (tmp_path / "a.jpg", "NAME.html"), (tmp_path, "NAME.html")]:
        with pytest.raises(UsageError, match=said):
            check_target(path)
    assert other.read_text(encoding="utf-8") == "<p>mine"


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A file where the folder should be is told in one line."""
    (tmp_path / "file").touch()
    with pytest.raises(
        FileError, match=r"report\.html: cannot be written .*; move that file away or choose another name"
    ):
        write_page(tmp_path / "file" / "report.html", "x")


def test_a_page_in_a_folder_that_may_not_be_looked_at_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is told before the work, and is no wrong usage."""

    def refused(_: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)
    with pytest.raises(FileError, match=r"report\.html: Permission denied; choose another name"):
        check_target(tmp_path / "report.html")
