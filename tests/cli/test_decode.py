"""`batchcomp decode`: everything back, nowhere else, nothing overwritten."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.cli import samples
from tests.cli.conftest import Run

ORIENTATION = 0x0112


@pytest.fixture
def archive(compress: Run, photos: Path) -> Path:
    """Return an archive of the photos."""
    assert compress(photos, "--no-measure").code == 0
    return photos.with_name("photos.bca")


def flip_a_byte(archive: Path, entry: str) -> None:
    """Damage the middle of an entry's content."""
    segment = archive / "000001.zip"
    with zipfile.ZipFile(segment) as opened:
        found = opened.getinfo(entry)
    data = bytearray(segment.read_bytes())
    data[found.header_offset + 30 + len(entry) + found.compress_size // 2] ^= 0xFF
    segment.write_bytes(data)


def test_the_tree_comes_back(decode: Run, archive: Path, photos: Path) -> None:
    """Same folders, same names with the new suffix, same sizes; the pictures look alike."""
    result = decode(archive, "-o", "out")
    assert result.code == 0
    assert sorted(samples.tree(Path("out"))) == ["a.png", "b.png", "sub/c.png"]
    for restored, source in (("a.png", "a.png"), ("b.png", "b.jpg"), ("sub/c.png", "sub/c.png")):
        before, after = samples.pixels_of(photos / source), samples.pixels_of(Path("out") / restored)
        assert before.shape == after.shape
        assert np.abs(before.astype(int) - after).mean() < 12
    assert result.out == ""
    before, after = result.err.splitlines()
    assert before.startswith("3 pictures, about ")
    assert before.endswith("kB when restored")
    assert after == f"3 restored below {Path('out').resolve()}"


def test_metadata_and_time_come_back(compress: Run, decode: Run) -> None:
    """EXIF with its orientation, ICC profile, resolution, permissions and time of change survive."""
    exif, icc = Image.Exif(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif[ORIENTATION], exif[0x010F] = 6, "Maker"
    path = samples.save(Path("in/a.jpg"), samples.image(64, 90), exif=exif, icc_profile=icc, quality=95, dpi=(300, 300))
    path.chmod(0o640)
    os.utime(path, ns=(1, 1_234_567_890_123_456_700))
    compress("in")
    for kind, suffix in (("png", "png"), ("jpeg", "jpg"), ("webp", "webp")):
        assert decode("in.bca", "-o", kind, "--format", kind).code == 0
        target = Path(kind) / f"a.{suffix}"
        assert target.stat().st_mtime_ns == path.stat().st_mtime_ns
        assert target.stat().st_mode & 0o777 == 0o640
        with Image.open(target) as restored:
            assert restored.size == (90, 64)
            assert restored.getexif()[ORIENTATION] == 6
            assert restored.getexif()[0x010F] == "Maker"
            assert restored.info["icc_profile"] == icc


def test_nothing_is_overwritten_unless_asked(decode: Run, archive: Path) -> None:
    """A file that is there stays and fails with a hint at --force; with --force it is replaced."""
    Path("out").mkdir()
    Path("out/a.png").write_text("mine")
    result = decode(archive, "-o", "out")
    assert result.code == 3
    assert "--force" in result.err
    assert "2 restored" in result.err
    assert Path("out/a.png").read_text() == "mine"
    assert decode(archive, "-o", "out", "--force").code == 0
    assert samples.pixels_of(Path("out/a.png")).shape == (40, 48, 3)


def test_nothing_is_written_outside(decode: Run, archive: Path) -> None:
    """A symbolic link below the output folder leads nobody out of it."""
    Path("elsewhere").mkdir()
    Path("out").mkdir()
    Path("out/sub").symlink_to(Path("elsewhere").resolve(), target_is_directory=True)
    result = decode(archive, "-o", "out", "--force")
    assert result.code == 3
    assert "symbolic link" in result.err
    assert list(Path("elsewhere").iterdir()) == []
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "b.png", "sub"]


def test_an_output_that_is_a_file_is_refused(decode: Run, archive: Path) -> None:
    """-o must be a folder; the file there is left alone."""
    Path("out").write_text("mine")
    result = decode(archive, "-o", "out", "--force")
    assert result.code == 2
    assert "out: is a file" in result.err
    assert Path("out").read_text() == "mine"


def test_patterns_choose(decode: Run, archive: Path) -> None:
    """PATTERN restores what it matches; one that matches nothing is a usage error that says how to see the paths."""
    assert decode(archive, "sub/*", "b*", "-o", "out").code == 0
    assert sorted(samples.tree(Path("out"))) == ["b.png", "sub/c.png"]
    result = decode(archive, "nothing*", "-o", "out2")
    assert result.code == 2
    assert "nothing*" in result.err
    assert "batchcomp list" in result.err
    assert not Path("out2").exists()


@pytest.mark.parametrize(("kind", "suffix", "magic"), [("jpeg", ".jpg", "JPEG"), ("webp", ".webp", "WEBP")])
def test_other_formats(decode: Run, archive: Path, kind: str, suffix: str, magic: str) -> None:
    """--format gives files of that format under its suffix."""
    assert decode(archive, "-o", "out", "--format", kind, "a.png").code == 0
    with Image.open(Path("out") / f"a{suffix}") as restored:
        assert restored.format == magic


def test_an_unknown_format_is_a_usage_error(decode: Run, archive: Path) -> None:
    """The message names the formats there are."""
    result = decode(archive, "--format", "gif")
    assert result.code == 2
    assert "png, jpeg, webp" in result.err


def test_names_that_would_meet_are_kept_apart(compress: Run, decode: Run) -> None:
    """`a.jpg` and `a.png` are both restored, under the same names whether chosen alone or together."""
    samples.save(Path("in/a.png"), samples.image(20, 90))
    samples.save(Path("in/a.jpg"), samples.image(90, 90, seed=1), quality=95)
    compress("in")
    assert decode("in.bca", "-o", "all").code == 0
    assert samples.pixels_of(Path("all/a.png")).shape == (20, 90, 3)
    assert samples.pixels_of(Path("all/a.jpg.png")).shape == (90, 90, 3)
    assert decode("in.bca", "a.jpg", "-o", "one").code == 0
    assert list(samples.tree(Path("one"))) == ["a.jpg.png"]


def test_payloads_decode_on_their_own(decode: Run, archive: Path) -> None:
    """Payloads taken out with any ZIP tool open in any viewer and decode without the archive to the same pixels."""
    with zipfile.ZipFile(archive / "000001.zip") as opened:
        opened.extract("a.png.jpg", "taken")
        opened.extract("sub/c.png.jpg", "taken")
    with Image.open("taken/a.png.jpg") as viewed:
        assert (viewed.format, viewed.size) == ("JPEG", (24, 20))
    result = decode("taken/a.png.jpg", "taken/sub/c.png.jpg", "-o", "alone")
    assert result.code == 0
    assert sorted(samples.tree(Path("alone"))) == ["a.png", "c.png"]
    decode(archive, "-o", "out")
    assert np.array_equal(samples.pixels_of(Path("alone/a.png")), samples.pixels_of(Path("out/a.png")))
    assert np.array_equal(samples.pixels_of(Path("alone/c.png")), samples.pixels_of(Path("out/sub/c.png")))


def test_what_is_no_payload_fails_with_its_name(decode: Run, photos: Path) -> None:
    """A plain JPEG, another file or a missing one are named and explained; payloads beside them are restored."""
    result = decode(photos / "b.jpg", photos / "a.png", "missing.jpg", "-o", "out")
    assert result.code == 3
    plain, other, missing, _ = result.err.splitlines()
    assert "b.jpg" in plain
    assert "plain JPEG" in plain
    assert "expected a payload written by batchcomp" in other
    assert "missing.jpg" in missing
    assert not Path("out").exists()


def test_a_missing_model_is_named_and_the_rest_goes_on(
    run: Run, compress: Run, photos: Path, other_model: Path
) -> None:
    """Pictures of a model that is not at hand fail with its hash and --model; the others are restored."""
    samples.save(photos / "flat.png", samples.image(mode="P"))
    compress(photos, "-o", "mixed.bca", "--exclude", "b.jpg")
    run("compress", photos / "b.jpg", "-o", "mixed.bca", "--model", other_model)
    result = run("decode", "mixed.bca", "-o", "out", "--model", other_model)
    assert result.code == 3
    assert sorted(samples.tree(Path("out"))) == ["b.png", "flat.png"]
    failed = [line for line in result.err.splitlines() if line.startswith("failed:")]
    assert len(failed) == 2
    assert all("is needed and not at hand" in line and "--model FILE" in line for line in failed)


def test_a_model_file_that_is_none_ends_the_run(run: Run, archive: Path, photos: Path) -> None:
    """A wrong --model is fatal before anything is written."""
    for wrong in (photos / "a.png", "missing.safetensors"):
        result = run("decode", archive, "-o", "out", "--model", wrong)
        assert result.code == 1
        assert str(wrong) in result.err
        assert not Path("out").exists()


def test_damage_is_named_and_the_rest_is_restored(decode: Run, archive: Path) -> None:
    """A flipped byte costs its picture only; the line names segment and entry; exit 4."""
    flip_a_byte(archive, "b.jpg.jpg")
    result = decode(archive, "-o", "out")
    assert result.code == 4
    (line,) = (line for line in result.err.splitlines() if line.startswith("failed:"))
    assert "000001.zip" in line
    assert "b.jpg.jpg" in line
    assert sorted(samples.tree(Path("out"))) == ["a.png", "sub/c.png"]


def test_a_missing_segment_is_damage(compress: Run, decode: Run, archive: Path, photos: Path) -> None:
    """What a lost segment held cannot come back; what the others hold does; exit 4."""
    samples.save(photos / "new.png", samples.image(seed=5))
    compress(photos, "--no-measure")
    (archive / "000001.zip").unlink()
    result = decode(archive, "-o", "out")
    assert result.code == 4
    assert "000001.zip" in result.err
    assert list(samples.tree(Path("out"))) == ["new.png"]


def test_json_lines(decode: Run, archive: Path) -> None:
    """Each line is an object with type, schema and the restored name."""
    flip_a_byte(archive, "a.png.jpg")
    lines = decode(archive, "-o", "out", "--json").json
    assert all(line["schema"] == 1 for line in lines)
    assert sorted((line["type"], line.get("name")) for line in lines) == [
        ("done", "b.png"),
        ("done", "sub/c.png"),
        ("expected", None),
        ("failed", "a.png"),
        ("summary", None),
    ]
    assert (lines[-1]["exit_code"], lines[-1]["done"], lines[-1]["failed"]) == (4, 2, 1)


def test_a_file_where_a_folder_is_needed_is_named(compress: Run, decode: Run, archive: Path, photos: Path) -> None:
    """The message says so, and does not advise --force, which would not help; the others are restored."""
    Path("out").mkdir()
    Path("out/sub").write_text("mine")
    result = decode(archive, "-o", "out")
    assert result.code == 3
    (line,) = (line for line in result.err.splitlines() if line.startswith("failed"))
    assert "a file is where its folder should be); move that file away or choose another folder with -o" in line
    assert Path("out/sub").read_text() == "mine"
    assert "2 restored" in result.err
    result = compress(photos, "-o", "out/sub/new.bca")
    assert result.code == 1
    assert "a file is where a folder is needed" in result.err


def test_a_dry_run_writes_nothing_and_agrees_with_the_run(
    run: Run, decode: Run, archive: Path, tiny_model: Path
) -> None:
    """It names the same files, fails the same ones for the same reasons, and ends with the same exit code."""
    Path("out").mkdir()
    Path("out/a.png").write_text("mine")
    dry = run("decode", archive, "-o", "out", "--dry-run", "--json", "--model", tiny_model)
    assert sorted(samples.tree(Path("out"))) == ["a.png"]
    real = decode(archive, "-o", "out", "--json")
    assert dry.code == real.code == 3
    assert dry.json[0] | {"free_bytes": 0} == real.json[0] | {"free_bytes": 0}
    assert {line["name"] for line in dry.json if line["type"] == "planned"} == {"b.png", "sub/c.png"}
    assert {line["name"] for line in real.json if line["type"] == "done"} == {"b.png", "sub/c.png"}
    (would_fail,), (failed,) = ([line for line in one.json if line["type"] == "failed"] for one in (dry, real))
    assert would_fail["name"] == failed["name"] == "a.png"
    assert "--force" in would_fail["reason"]
    assert dry.json[0]["bytes"] >= sum(line["bytes"] for line in dry.json if line["type"] == "planned") > 0


def test_a_dry_run_reads_as_a_sentence(run: Run, archive: Path, tiny_model: Path) -> None:
    """A line a file with what it comes from and about how large it will be, and a sum."""
    result = run("decode", archive, "--format", "source", "--dry-run", "--model", tiny_model)
    assert result.code == 0
    assert result.out.splitlines()[1].startswith("b.jpg: as jpeg, about ")
    assert f"3 would be restored below {Path('photos-restored').resolve()}" in result.err
    assert not Path("photos-restored").exists()


def test_a_missing_model_is_known_before(run: Run, archive: Path) -> None:
    """The dry run says so of each picture, as the run would."""
    result = run("decode", archive, "--dry-run")
    assert result.code == 3
    assert result.err.count("which is not at hand; pass its file with --model FILE") == 3


def test_too_little_room_is_said_before(decode: Run, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, in red, with both numbers; it tries all the same, since the estimate may be too high."""
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=999))
    result = decode(archive, "-o", "out")
    assert result.code == 0
    assert "when restored, but there is room for 999 B only" in result.err


def test_a_dry_run_of_a_payload_is_refused(run: Run, tmp_path: Path) -> None:
    """A lone file says nothing before it is decoded."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert run("decode", "a.jpg", "--dry-run").code == 2


def test_each_picture_in_its_own_format(compress: Run, decode: Run) -> None:
    """--format source keeps names, tree and formats; JPEG sources come back as JPEG of quality 95."""
    for name in ("a.png", "b.JPG", "sub/c.jpeg", "d.webp", "e.bmp"):
        samples.save(Path("in") / name, samples.image(64, 90))
    assert compress("in", "--no-measure").code == 0
    assert decode("in.bca", "--format", "source").code == 0
    assert sorted(samples.tree(Path("in-restored"))) == ["a.png", "b.JPG", "d.webp", "e.png", "sub/c.jpeg"]
    formats = {}
    for path in ("a.png", "b.JPG", "sub/c.jpeg", "d.webp", "e.png"):
        with Image.open(Path("in-restored") / path) as restored:
            formats[path] = restored.format
    assert formats == {"a.png": "PNG", "b.JPG": "JPEG", "sub/c.jpeg": "JPEG", "d.webp": "WEBP", "e.png": "PNG"}


def test_originals_are_never_overwritten(compress: Run, decode: Run, run: Run, photos: Path) -> None:
    """Restored into their own folder with --force, what would replace an original fails; other files are replaced."""
    assert compress(photos, "--no-measure").code == 0
    before = {path: path.read_bytes() for path in photos.rglob("*.*") if path.is_file()}
    archive = photos.with_name("photos.bca")
    result = decode(archive, "-o", photos, "--format", "source", "--force")
    assert result.code == 3
    assert "is the original, which is never overwritten; choose another folder with -o" in result.err
    assert {path: path.read_bytes() for path in before} == before
    planned = run("decode", archive, "-o", photos, "--format", "source", "--force", "--dry-run")
    assert "is the original" in planned.err
    (photos / "a.png").write_bytes(b"something else")
    decode(archive, "a.png", "-o", photos, "--force")
    assert (photos / "a.png").read_bytes() != b"something else"
