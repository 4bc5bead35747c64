"""Every name of a file system has one name in an archive, which every system can bear, and leads back to its bytes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.archive.names import name_problem
from batchcomp.escapes import file_path, real_path, stored_name, stored_path

ALPHABET = b"a%5C2EF.:\\ \n\xff\xc3\xa9"
COMPONENTS = st.one_of(
    st.binary(min_size=1, max_size=255),
    st.lists(st.sampled_from([bytes([one]) for one in ALPHABET]), min_size=1, max_size=12).map(b"".join),
    st.sampled_from(
        [b"con", b"CON.jpg", b"aux .png", b"%63on", b"nul%2E", b"..%2E", b"%2E", b".%2E", b"%00", b"a%2Fb"]
    ),
)


def as_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("real", "stored"),
    [
        (b"a.jpg", "a.jpg"),
        (b"100%.jpg", "100%.jpg"),
        (b"my%20photo.jpg", "my%20photo.jpg"),
        (b"a\\b.jpg", "a%5Cb.jpg"),
        (b"a%5Cb.jpg", "a%255Cb.jpg"),
        (b"50%\\.jpg", "50%25%5C.jpg"),
        (b"new\nline.png", "new%0Aline.png"),
        (b"gr\xfcn.png", "gr%FCn.png"),
        ("grün.png".encode(), "grün.png"),
        (b"C:x.png", "C%3Ax.png"),
        (b"12:30.png", "12:30.png"),
        (b"etc.", "etc%2E"),
        (b"a. ", "a.%20"),
        (b"...", "..%2E"),
        (b"con.jpg", "%63on.jpg"),
        (b"AUX", "%41UX"),
        (b"con artist.jpg", "con artist.jpg"),
        (b"contact.jpg", "contact.jpg"),
        (b"\xc2\x85.png", "%C2%85.png"),
    ],
)
def test_escapes(real: bytes, stored: str) -> None:
    """What some system cannot bear is escaped; nothing else is."""
    assert stored_name(as_text(real)) == stored
    assert real_path(stored).encode("utf-8", "surrogateescape") == real


@pytest.mark.parametrize("forged", [".%2E", "%2E%2E", "%2E", "a%2Fb", "%00", "a%00b", "%2e", "%41", "%", "%F", "%GG"])
def test_what_no_name_is_escaped_to_stands_for_itself(forged: str) -> None:
    """A forged name cannot turn into `..`, a separator or a NUL."""
    assert real_path(forged) == forged


@given(COMPONENTS.filter(lambda data: not set(data) & set(b"/\0") and data not in {b".", b".."}))
def test_any_component_is_stored_safely_and_leads_back(data: bytes) -> None:
    """Whatever bytes a file is called by: its stored name is one that any archive may hold, and leads back to them."""
    stored = stored_name(as_text(data))
    assert name_problem(stored) == ""
    assert real_path(stored) == as_text(data)
    assert file_path(stored).encode("utf-8", "surrogateescape") == data


@given(st.text(max_size=40))
def test_no_stored_name_leads_elsewhere(name: str) -> None:
    """A name out of an archive, escapes or not, has as many components as it seems, and no `..`, NUL or empty one."""
    if not name_problem(name):
        parts = real_path(name).split("/")
        assert len(parts) == name.count("/") + 1
        assert not {"", ".", ".."} & set(parts)
        assert "\0" not in real_path(name)


def test_a_path_is_escaped_part_by_part() -> None:
    """Slashes stay, and each folder leads back by itself."""
    assert stored_path("a\\b/100%/c%5C") == "a%5Cb/100%/c%255C"
    assert real_path("a%5Cb/100%/c%255C") == "a\\b/100%/c%5C"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are UTF-8 in any locale")
def test_the_locale_does_not_change_a_name() -> None:
    """A program in a locale without UTF-8 gives the same names and finds the same files."""
    code = (
        "import os; from batchcomp.escapes import *; raw = os.fsdecode(b'gr\\xc3\\xbcn.png');"
        "real = file_path(stored_name(raw)); assert stored_name(raw) == 'gr\\xfcn.png'; "
        "assert os.fsencode(real) == b'gr\\xc3\\xbcn.png'"
    )
    environ = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-X", "utf8=0", "-c", code], check=True, env=environ)
