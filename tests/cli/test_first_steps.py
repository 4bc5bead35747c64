"""What a stranger types first is understood, or refused with what to type."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batchcomp.cli.goals import bytes_of
from batchcomp.errors import UsageError
from tests.archive.samples import sample_row, write_archive
from tests.cli import samples
from tests.cli.conftest import Run


@pytest.mark.parametrize("words", [("-V",), ("--version",)])
def test_the_version_has_a_short_form(run: Run, words: tuple[str, ...]) -> None:
    """-V is --version."""
    result = run(*words)
    assert (result.code, result.out[:10]) == (0, "batchcomp ")


def test_help_is_a_command(run: Run) -> None:
    """`help` and `help COMMAND` are what --help says."""
    assert run("help").out == run("--help").out
    assert run("help", "compress").out == run("compress", "--help").out
    assert run("help", "nonsense").code == 2


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar.gz", "photos.JPG"])
def test_an_archive_is_no_file(run: Run, photos: Path, name: str) -> None:
    """A name that promises a file is refused before any work, with one that fits."""
    result = run("compress", photos, "-o", name)
    assert result.code == 2
    assert "name it photos" in result.err
    assert not (photos.parent / name).exists()


@pytest.mark.parametrize(
    ("text", "expected"), [("9000", 9000), ("9kB", 9000), ("0.2MB", 200_000), ("8KiB", 8192), (" 1.5 k ", 1500)]
)
def test_bytes_have_units(text: str, expected: int) -> None:
    """A size is what people write."""
    assert bytes_of(text) == expected


@pytest.mark.parametrize("text", ["", "kB", "-3", "9 apples", "1e3", "\u0664kB\x1b"])
def test_no_size_is_refused(text: str) -> None:
    """What is no size is told."""
    with pytest.raises(UsageError, match="9kB"):
        bytes_of(text)


def test_a_target_and_a_quality_exclude_each_other(run: Run, photos: Path) -> None:
    """Two things that a picture is to meet are refused."""
    result = run("compress", photos, "-q", 60, "--match-jpeg", 80)
    assert result.code == 2
    assert "--match-jpeg and --quality: choose one of them" in result.err
    assert run("compress", photos, "--max-bytes", "9kB", "--max-bpp", 1).code == 2


def test_a_list_takes_patterns(run: Run, tmp_path: Path) -> None:
    """`list ARCHIVE PATTERN` lists those that match; none is an error, as for decode."""
    write_archive(tmp_path / "a.bca", [(sample_row(name), b"x" * 50) for name in ("2023/a.png", "2024/b.png")])
    assert run("list", "a.bca", "2024/*").out == "2024/b.png\n"
    assert run("list", "a.bca", "2023", "b.png").out == "2023/a.png\n2024/b.png\n"
    assert run("list", "a.bca", "2025/*").code == 2
    assert run("list", "a.bca", "2024/*", "--versions").code == 2


def test_jpg_is_understood(compress: Run, decode: Run, photos: Path) -> None:
    """`--format jpg` is jpeg; the end of `compress` names what comes next."""
    result = compress(photos)
    assert "next: `batchcomp report" in result.out
    assert decode("photos.bca", "-o", "out", "--format", "jpg").code == 0
    assert sorted(path.name for path in (photos.parent / "out").iterdir()) == ["a.jpg", "b.jpg", "sub"]


def test_system_litter_is_no_matter(run: Run, photos: Path) -> None:
    """What systems leave in folders is neither taken nor told."""
    for name in (".DS_Store", "Thumbs.db", "._a.png", "desktop.ini", "sub/.DS_Store"):
        (photos / name).write_bytes(b"\0\5\x16\7litter")
    samples.save(photos / "@eaDir" / "a.png")
    result = run("compress", photos, "--dry-run")
    assert sorted(line.partition(":")[0] for line in result.out.splitlines()) == ["a.png", "b.jpg", "sub/c.png"]
    assert "passed over" not in result.err


def test_a_picture_named_like_litter_is_taken(run: Run, photos: Path) -> None:
    """`._NAME` is macOS's own only where it begins like it; a picture of that name is a picture."""
    samples.save(photos / "._d.png")
    result = run("compress", photos, "--dry-run")
    assert "._d.png" in [line.partition(":")[0] for line in result.out.splitlines()]


def test_a_dry_run_tells_what_the_run_will_do(compress: Run, photos: Path) -> None:
    """It fails what will fail, passes over what is no picture, and knows content that is stored already."""
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0broken")
    (photos / "notes.txt").write_text("no picture")
    samples.save(photos / "copy.png")
    samples.save(photos / "palette.gif", samples.image(mode="P"))
    plan = compress(photos, "--dry-run")
    assert plan.code == 3
    assert "broken.jpg" in plan.err
    assert "1 file is no picture: 1 .txt; --verbatim GLOB stores it as it is" in plan.err
    assert "5 would be stored, 1 passed over, 1 failed" in plan.err
    assert "copy.png: new, content that is stored already" in plan.out
    assert "palette.gif: new, stored as it is: " in plan.out
    real = compress(photos)
    assert real.code == plan.code
    assert "5 stored" in real.err


def test_pictures_are_restored_into_a_folder_of_their_own(compress: Run, decode: Run, photos: Path) -> None:
    """Without -o nothing is strewn over the current folder."""
    compress(photos)
    before = {path.name for path in photos.parent.iterdir()}
    assert decode("photos.bca").code == 0
    assert {path.name for path in photos.parent.iterdir()} - before == {"photos-restored"}
    assert samples.pixels_of(photos.parent / "photos-restored/a.png").shape == (40, 48, 3)


def test_what_is_passed_over_is_summed_up(compress: Run, photos: Path) -> None:
    """One line for all that are no pictures, by kind; one that names the links. A dry run and the run say the same."""
    for name in ("a.mov", "sub/b.MOV", "c.txt", "d", "e.weird\x1bname"):
        (photos / name).write_bytes(b"\0\0\0\x14ftypqt  " if "mov" in name.lower() else b"text")
    (photos / "link.png").symlink_to(photos / "a.png")
    (photos / "sub" / "up").symlink_to(photos)
    (photos / "private").mkdir()
    samples.save(photos / "private" / "p.png")
    (photos / ".batchcompignore").write_text("private/\n")
    for words in (("--dry-run",), ()):
        result = compress(photos, *words)
        assert result.code == 0
        assert "5 files are no pictures: 2 video .mov, 2 other, 1 .txt; --verbatim GLOB stores them" in result.err
        assert "2 links were not followed: link.png, sub/up; --follow-symlinks takes what they point to" in result.err
        assert "3 would be stored, 7 passed over" in result.err or "3 stored, 7 passed over" in result.err
        assert "private" not in result.out + result.err


def test_each_file_that_is_passed_over_is_in_the_json(compress: Run, photos: Path) -> None:
    """Programs get a line each, with its kind; videos are called so."""
    (photos / "a.mov").write_bytes(b"\0\0\0\x14ftypqt  ")
    (photos / "link.png").symlink_to(photos / "a.png")
    lines = {line["name"]: line for line in compress(photos, "--json").json if line["type"] == "passed"}
    assert {name: line["kind"] for name, line in lines.items()} == {"a.mov": "video .mov", "link.png": "link"}
    assert "a.mov: a video, not a picture; exclude it, or store it as it is with --verbatim" in lines["a.mov"]["reason"]


def test_rules_that_cannot_be_followed_are_a_failure(compress: Run, photos: Path) -> None:
    """The file, the line and the next step; its folder is taken all the same."""
    (photos / ".batchcompignore").write_text("*.tmp\n[z-a]\n")
    result = compress(photos)
    assert result.code == 3
    assert ".batchcompignore: line 2: " in result.err
    assert "3 stored" in result.err


def test_a_video_under_a_pictures_name_is_named(compress: Run, photos: Path) -> None:
    """It is no damaged picture, and copying it again would not help."""
    (photos / "clip.jpg").write_bytes(b"\0\0\0\x18ftypisom" + bytes(99))
    result = compress(photos)
    assert result.code == 3
    assert "clip.jpg: a video, whatever its name says; " in result.err
    assert "--verbatim '*.jpg'" in result.err


@pytest.mark.skipif(os.name == "nt", reason="pipes")
def test_pipes_are_summed_up_with_what_else_is_no_picture(compress: Run, photos: Path) -> None:
    """With a line each in --json; what has no content is not said to be stored by --verbatim."""
    os.mkfifo(photos / "pipe.jpg")
    assert "1 file is no picture: 1 pipe\n" in compress(photos, "--dry-run").err
    (photos / "c.txt").write_text("text")
    result = compress(photos, "--json")
    assert result.code == 0
    assert "2 files are no pictures: 1 .txt, 1 pipe; --verbatim GLOB stores files as they are" in result.err
    assert [line["reason"] for line in result.json if "pipe.jpg" in line.get("path", line.get("name", ""))] == [
        f"{photos / 'pipe.jpg'}: a pipe, not a file"
    ]


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_linked_rules_are_a_failed_file(compress: Run, photos: Path) -> None:
    """What they would leave out is archived, as where they cannot be read, but not without a word."""
    (photos / "rules").write_text("a.png\n")
    (photos / ".batchcompignore").symlink_to("rules")
    result = compress(photos)
    assert result.code == 3
    assert ".batchcompignore: is a symbolic link, which is not followed; put the file itself here" in result.err
