"""Names of pictures are checked, shown safely, and never clash with temporary files."""

from __future__ import annotations

from batchcomp.images.names import is_temp, name_problem, shown, temp_name


def test_only_relative_portable_names_are_allowed() -> None:
    """The reason is one that a user understands."""
    assert name_problem("2024/ü.jpg") is None
    for name, words in {
        "/a": "absolute",
        "a/../b": "'..'",
        "a\\b": "backslash",
        "c:x": "drive",
        "\udcff": "UTF-8",
    }.items():
        assert words in str(name_problem(name))


def test_shown_names_are_one_printable_line() -> None:
    """Control characters could trick a terminal."""
    assert shown("a\n\x1b[31m\udcff.jpg") == r"a\n\x1b[31m\udcff.jpg"


def test_temporary_names_are_known_and_fresh() -> None:
    """A walk leaves them out, and two never meet."""
    assert temp_name() != temp_name()
    assert is_temp(temp_name())
    assert not is_temp("a.tmp")
