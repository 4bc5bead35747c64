"""The archive's remembered settings: strict, and harmless when they cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchcomp.archive.settings_file import Remembered, read_settings, remember, settings_bytes


def test_what_is_remembered_is_read(tmp_path: Path) -> None:
    """One value after the other; those that are not given stay."""
    assert read_settings(tmp_path) == Remembered()
    remember(tmp_path, quality=80, pack=True)
    remember(tmp_path, effort=5)
    assert read_settings(tmp_path) == Remembered(quality=80, pack=True, effort=5)
    assert settings_bytes(tmp_path, quality=80) is None
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_members_of_others_stay(tmp_path: Path) -> None:
    """What a later build of the same version adds is not lost."""
    remember(tmp_path, quality=80)
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "future": [1]}))
    remember(tmp_path, quality=20)
    assert json.loads(path.read_text())["future"] == [1]
    assert read_settings(tmp_path).quality == 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe", ""),
        (b"[" * 50_000, ""),
        (b"{}", "is no batchcomp-settings file"),
        (b"[]", "is no batchcomp-settings file"),
        (b'{"format":"batchcomp-settings"}', "no usable version"),
        (b'{"format":"batchcomp-settings","version":true}', "no usable version"),
        (b'{"format":"batchcomp-settings","version":1,"quality":"80"}', "quality '80' makes no sense"),
        (b'{"format":"batchcomp-settings","version":1,"quality":101}', "quality '101' makes no sense"),
        (b'{"format":"batchcomp-settings","version":1,"pack":1}', "pack '1' makes no sense"),
        (b'{"format":"batchcomp-settings","version":1,"quality":NaN}', "quality 'nan' makes no sense"),
        (b" " * 70_000, "more than 65536 bytes"),
    ],
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: bytes, said: str) -> None:
    """It is named in one line, and the next run writes a sound one."""
    (tmp_path / "settings.json").write_bytes(text)
    found = read_settings(tmp_path)
    assert found.quality is None
    assert found.problem.startswith(f"{tmp_path / 'settings.json'}: cannot be used (")
    assert said in found.problem
    remember(tmp_path, quality=70)
    assert read_settings(tmp_path) == Remembered(quality=70)


def test_a_later_version_is_left_alone(tmp_path: Path) -> None:
    """It is neither used nor overwritten."""
    text = '{"format":"batchcomp-settings","version":2,"quality":{"fine":1}}'
    (tmp_path / "settings.json").write_text(text)
    assert "upgrade" in read_settings(tmp_path).problem
    remember(tmp_path, quality=70)
    assert (tmp_path / "settings.json").read_text() == text


def test_what_makes_no_sense_is_not_written(tmp_path: Path) -> None:
    """A wrong call is a bug, not a file."""
    with pytest.raises(ValueError, match="quality '500'"):
        remember(tmp_path, quality=500)
    with pytest.raises(ValueError, match="no such setting"):
        remember(tmp_path, colour="red")
    assert not list(tmp_path.iterdir())


def test_a_folder_of_that_name_is_named(tmp_path: Path) -> None:
    """Whatever is in its place, nothing is remembered."""
    (tmp_path / "settings.json").mkdir()
    assert "Is a directory" in read_settings(tmp_path).problem
