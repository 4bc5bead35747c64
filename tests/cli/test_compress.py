"""`batchcomp compress`: what it takes, what it stores, what it says."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, Row
from tests.cli import samples
from tests.cli.conftest import Run


def rows_of(archive: Path) -> dict[str, Row]:
    return {row.path: row for row in ArchiveReader.open(archive).rows()}


def contents(archive: Path) -> list[tuple[Row, bytes]]:
    """Everything an archive holds, except how long it took."""
    opened = ArchiveReader.open(archive)
    return [(replace(row, seconds=0.0), opened.read(row)) for row in opened.rows()]


def test_a_folder_becomes_an_archive_beside_it(compress: Run, photos: Path) -> None:
    """Without -o the archive is FOLDER.bca; names are relative to the folder, in the order of their bytes."""
    result = compress(photos)
    assert result.code == 0
    rows = rows_of(photos.with_name("photos.bca"))
    assert list(rows) == ["a.png", "b.jpg", "sub/c.png"]
    assert [row.entry for row in rows.values()] == ["a.png.jpg", "b.jpg.jpg", "sub/c.png.jpg"]
    assert "photos.bca" in result.out
    assert result.err == "3 stored\n"


def test_originals_stay_as_they_are(compress: Run, photos: Path) -> None:
    """Neither content nor time of change of a source is touched, and nothing is added to its folder."""
    before = samples.tree(photos)
    compress(photos)
    assert samples.tree(photos) == before


def test_rows_say_what_was_measured(compress: Run, photos: Path) -> None:
    """A row holds size, mode, quality and a JPEG of at most the payload's bytes."""
    compress(photos, "-q", "40")
    row = rows_of(photos.with_name("photos.bca"))["b.jpg"]
    assert (row.width, row.height, row.mode, row.quality) == (83, 61, "RGB", 40)
    assert row.source_bytes == (photos / "b.jpg").stat().st_size
    assert row.mtime_ns == (photos / "b.jpg").stat().st_mtime_ns
    assert row.ms_ssim is not None
    assert row.ms_ssim > 0.5
    assert row.jpeg is not None
    assert row.jpeg.bytes <= row.payload_bytes or row.jpeg.quality == 1


def test_no_measure_leaves_the_comparison_out(compress: Run, photos: Path) -> None:
    """--no-measure stores payloads of the networks without figures; measured ones are the same where they won."""
    compress(photos, "-o", "with.bca")
    compress(photos, "-o", "without.bca", "--no-measure")
    rows = rows_of(Path("without.bca"))
    assert {(row.stored, row.scale, row.ms_ssim, row.jpeg) for row in rows.values()} == {("compact", 2, None, None)}
    measured = [(row.path, data) for row, data in contents(Path("with.bca")) if row.stored == "compact"]
    assert set(measured) <= {(row.path, data) for row, data in contents(Path("without.bca"))}


@pytest.mark.parametrize("options", [("--jobs", 4), ("--batch-size", 3), ("--jobs", 3, "--batch-size", 2)])
def test_results_do_not_depend_on_workers_or_batches(
    run: Run, tiny_model: Path, photos: Path, options: tuple[object, ...]
) -> None:
    """The archive is the same whatever the machine does at once: order, payloads, measurements."""
    for seed in range(3, 7):
        samples.save(photos / f"{seed}.png", samples.image(30 + 7 * seed, 40 + seed, seed=seed))
    (photos / "4.png").write_bytes(b"damaged")
    run("compress", photos, "--model", tiny_model, "-o", "one.bca", "--jobs", 1, "--batch-size", 1)
    run("compress", photos, "--model", tiny_model, "-o", "many.bca", *options)
    assert contents(Path("one.bca")) == contents(Path("many.bca"))
    assert len(contents(Path("one.bca"))) == 6


@pytest.mark.parametrize("size", [(1, 1), (7, 8), (2, 161), (65, 33)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_odd_sizes_and_modes_come_back(compress: Run, decode: Run, size: tuple[int, int], mode: str) -> None:
    """Any picture from 1x1 up is stored and restored in its size and mode."""
    samples.save(Path("in/x.png"), samples.image(*size, mode=mode))
    assert compress("in").code == 0
    assert decode("in.bca", "-o", "out").code == 0
    (restored,) = Path("out").iterdir()
    assert samples.pixels_of(restored).shape == samples.pixels_of(next(Path("in").iterdir())).shape


NAMES = ["with space.png", "ünïcödé 日本.png", "[red]x[/red].png", "[/red].png", "-q.png", "%s {x}.png", "a'b\".png"]


def test_any_name_goes_through_every_command(run: Run, compress: Run, decode: Run) -> None:
    """Names are data: spaces, Unicode, quotes, dashes and rich's markup come out as they went in."""
    for seed, name in enumerate(NAMES):
        samples.save(Path("in") / name, samples.image(seed=seed))
    assert compress("in").code == 0
    assert run("list", "in.bca").out.splitlines() == sorted(NAMES, key=os.fsencode)
    table = run("report", "in.bca").out
    assert all(name in table for name in NAMES)
    assert run("report", "in.bca", "--csv").out.count("\n") == len(NAMES) + 1
    assert decode("in.bca", "-o", "out").code == 0
    assert sorted(samples.tree(Path("out"))) == sorted(NAMES)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_some_systems_cannot_bear_are_escaped(compress: Run, decode: Run) -> None:
    """A control character in a name is no reason to store less: it stands escaped in the archive and comes back."""
    samples.save(Path("in/new\nline.png"))
    samples.save(Path("in/z.png"))
    assert compress("in").code == 0
    assert list(rows_of(Path("in.bca"))) == ["new%0Aline.png", "z.png"]
    assert decode("in.bca", "-o", "out").code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["new\nline.png", "z.png"]


def test_the_archive_may_lie_in_the_folder(compress: Run, photos: Path) -> None:
    """An archive below the folder it is made from is never taken for pictures, whatever it is called."""
    for _ in range(2):
        assert compress(photos, "-o", photos / "sub" / "kept").code == 0
    assert list(rows_of(photos / "sub" / "kept")) == ["a.png", "b.jpg", "sub/c.png"]


def test_a_second_run_passes_over_what_is_unchanged(compress: Run, photos: Path) -> None:
    """Unchanged files cost nothing: no new segment, exit 0."""
    compress(photos)
    before = samples.tree(photos.with_name("photos.bca"))
    result = compress(photos)
    assert (result.code, result.out, result.err) == (0, "", "0 stored, 3 unchanged\n")
    assert samples.tree(photos.with_name("photos.bca")) == before


def test_a_changed_file_is_stored_again(compress: Run, decode: Run, photos: Path) -> None:
    """A file of another size or time of change supersedes the row of its path, and decoding gives the new one."""
    compress(photos)
    samples.save(photos / "a.png", samples.image(50, 52, seed=9))
    assert compress(photos).err == "1 stored, 2 unchanged\n"
    row = rows_of(photos.with_name("photos.bca"))["a.png"]
    assert (row.segment, row.width) == (2, 52)
    decode(photos.with_name("photos.bca"), "-o", "out", "a.png")
    assert samples.pixels_of(Path("out/a.png")).shape == (50, 52, 3)


def test_another_time_of_change_is_a_change(compress: Run, photos: Path) -> None:
    """A file that was touched is looked at again, even if its size is the same."""
    compress(photos)
    os.utime(photos / "a.png", ns=(0, 10**18))
    assert compress(photos).err == "1 stored, 2 unchanged\n"
    assert rows_of(photos.with_name("photos.bca"))["a.png"].mtime_ns == 10**18


def test_recompress_stores_again(run: Run, compress: Run, photos: Path, other_model: Path) -> None:
    """Asking for another quality or model redoes what they concern, if that is asked for too."""
    samples.save(photos / "flat.png", samples.image(mode="P"))
    compress(photos, "--no-measure")
    assert compress(photos, "-q", "20", "--no-measure", "--recompress").err == "3 stored, 1 unchanged\n"
    assert {row.quality for row in rows_of(photos.with_name("photos.bca")).values()} == {20, 0}
    result = run("compress", photos, "-q", "20", "--no-measure", "--model", other_model, "--recompress")
    assert result.err == "3 stored, 1 unchanged\n"


def test_what_was_too_large_gets_another_try(compress: Run) -> None:
    """A picture stored as it is because of its quality is compressed once a lower quality makes it smaller."""
    samples.save(Path("in/a.jpg"), samples.image(90, 90), quality=30)
    compress("in", "-q", "100")
    row = rows_of(Path("in.bca"))["a.jpg"]
    assert (row.stored, row.reason) == ("verbatim", "compressed it would be larger at quality 100")
    assert compress("in", "-q", "100").err == "0 stored, 1 unchanged\n"
    assert compress("in", "-q", "5", "--recompress").err == "1 stored\n"
    assert rows_of(Path("in.bca"))["a.jpg"].stored != "verbatim"


def test_more_quality_is_larger_and_more_alike(compress: Run) -> None:
    """Quality is monotone: more of it gives more bytes and no less MS-SSIM."""
    samples.save(Path("in/a.png"), samples.image(120, 130))
    found = []
    for quality in (5, 35, 65, 95):
        compress("in", "-q", quality, "--recompress")
        found.append(rows_of(Path("in.bca"))["a.png"])
    sizes = [row.payload_bytes for row in found]
    assert sizes == sorted(set(sizes))
    similarities = [row.ms_ssim or 0 for row in found]
    assert similarities == sorted(similarities)


def test_a_dry_run_writes_nothing(run: Run, compress: Run, photos: Path, state_folder: Path) -> None:
    """--dry-run names each file with its reason on stdout and leaves no trace, no record of a last archive either."""
    before = samples.tree(Path())
    result = compress(photos, "--dry-run")
    assert result.code == 0
    assert result.out.splitlines() == ["a.png: new", "b.jpg: new", "sub/c.png: new"]
    assert result.err == "3 would be stored\n"
    assert samples.tree(Path()) == before
    assert not any(path.is_file() for path in state_folder.rglob("*"))
    assert not photos.with_name("photos.bca").exists()
    assert run("report").code == 10


def test_a_dry_run_knows_what_changed(compress: Run, photos: Path) -> None:
    """--dry-run promises what the run then does."""
    compress(photos)
    os.utime(photos / "a.png", ns=(0, 10**18))
    assert compress(photos, "--dry-run").out == "a.png: changed, content that is stored already\n"
    assert compress(photos, "--dry-run", "-q", 9, "--recompress").out.splitlines()[1] == "b.jpg: other quality"


def test_json_lines(compress: Run, photos: Path) -> None:
    """Each line of --json is an object with type and schema; the last is the summary."""
    (photos / "bad.png").write_bytes(b"not a picture")
    (photos / "notes.txt").write_text("nothing to see")
    result = compress(photos, "--json")
    lines = result.json
    assert all(line["schema"] == 1 for line in lines)
    assert [line["type"] for line in lines] == ["done", "done", "failed", "passed", "done", "summary"]
    assert [line["name"] for line in lines[:-1]] == ["a.png", "b.jpg", "bad.png", "notes.txt", "sub/c.png"]
    assert lines[0]["archived_bytes"] < lines[0]["source_bytes"]
    summary = lines[-1]
    assert (summary["exit_code"], summary["done"], summary["failed"], summary["skipped"]) == (3, 3, 1, 1)
    assert summary["archive"].endswith("photos.bca")
    summary = compress(photos, "--json", "--dry-run").json[-1]
    assert (summary["planned"], summary["failed_before"], summary["exit_code"]) == (0, 1, 0)


def test_json_of_a_dry_run(compress: Run, photos: Path) -> None:
    """A dry run's lines say what would be taken, and nothing but JSON is on stdout."""
    assert [line["type"] for line in compress(photos, "--json", "--dry-run").json] == ["planned"] * 3 + ["summary"]


def test_bad_files_fail_alone(compress: Run, photos: Path) -> None:
    """Each unreadable file gets one line that names it, says why and what to do; the others are stored; exit 3."""
    png = (photos / "a.png").read_bytes()
    bad = {
        "empty.jpg": (b"", "empty"),
        "cut.png": (png[: len(png) // 2], "truncated"),
        "text.png": (b"hello", "not a readable image"),
        "flipped.png": (png[:60] + bytes([png[60] ^ 1]) + png[61:], "damaged"),
        "photo.heic": (b"\0\0\0\x18ftypheic" + bytes(20), "damaged HEIC"),
        "photo.jp2": (b"\0\0\0\x0cjP  " + bytes(20), "convert"),
    }
    for name, (data, _) in bad.items():
        (photos / name).write_bytes(data)
    result = compress(photos)
    assert result.code == 3
    assert list(rows_of(photos.with_name("photos.bca"))) == ["a.png", "b.jpg", "sub/c.png"]
    *failures, summary = result.err.splitlines()
    assert summary == f"3 stored, {len(bad)} failed"
    for name, (_, reason) in bad.items():
        (line,) = (line for line in failures if name in line)
        assert line.startswith("failed: ")
        assert reason in line
        assert ";" in line
    assert "Traceback" not in result.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_named(compress: Run, photos: Path) -> None:
    """A folder without permission fails with its name, the rest goes on."""
    (photos / "sub").chmod(0)
    try:
        result = compress(photos)
    finally:
        (photos / "sub").chmod(0o755)
    assert result.code == 3
    assert str(photos / "sub") in result.err


def test_a_folder_that_cannot_be_walked_is_named(compress: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line for a folder that cannot be listed names the folder and the reason."""
    listing = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr("batchcomp.images.walk.os.scandir", refuse)
    result = compress(photos)
    assert result.code == 3
    assert f"failed: {photos / 'sub'}: folder cannot be read: Permission denied" in result.err


def test_what_the_codec_cannot_carry_is_stored_as_it_is(run: Run, compress: Run, decode: Run) -> None:
    """Palettes and CMYK are kept byte for byte, with the reason in the row and in the table."""
    kinds = {
        "flat.png": ("P", "palette"),
        "flat.gif": ("P", "palette"),
        "print.jpg": ("CMYK", "CMYK colours"),
    }
    for name, (mode, _) in kinds.items():
        samples.save(Path("in") / name, samples.image(mode=mode))
    result = compress("in")
    assert result.err == "3 stored (3 as they are)\n"
    rows = rows_of(Path("in.bca"))
    assert {name: (row.stored, row.reason) for name, row in rows.items()} == {
        name: ("verbatim", reason) for name, (_, reason) in kinds.items()
    }
    assert [row.entry for row in rows.values()] == sorted(kinds)
    table = run("report", "in.bca").out
    assert all(f"{name} (stored as it is: {reason})" in table for name, (_, reason) in kinds.items())
    assert decode("in.bca", "-o", "out").code == 0
    assert samples.tree(Path("out")) == samples.tree(Path("in"))


def test_a_payload_larger_than_its_source_is_not_used(compress: Run, decode: Run) -> None:
    """Where compressing would not save bytes the source itself is stored."""
    samples.save(Path("in/dot.png"), samples.image(1, 1))
    compress("in")
    row = rows_of(Path("in.bca"))["dot.png"]
    assert (row.stored, row.payload_bytes) == ("verbatim", row.source_bytes)
    assert "larger" in row.reason
    decode("in.bca", "-o", "out")
    assert samples.tree(Path("out")) == samples.tree(Path("in"))


def test_include_and_exclude(compress: Run, photos: Path) -> None:
    """Globs choose files and prune folders."""
    compress(photos, "--include", "*.png", "--exclude", "sub")
    assert list(rows_of(photos.with_name("photos.bca"))) == ["a.png"]


def test_several_paths_need_a_name(compress: Run, photos: Path) -> None:
    """With more than one PATH the archive must be named; then each path's own name leads."""
    samples.save(Path("lone.png"))
    result = compress(photos, "lone.png")
    assert result.code == 2
    assert "-o" in result.err
    assert compress(photos, "lone.png", "-o", "all.bca").code == 0
    assert sorted(rows_of(Path("all.bca"))) == ["lone.png", "photos/a.png", "photos/b.jpg", "photos/sub/c.png"]


def test_an_empty_folder_is_said_to_be_empty(compress: Run) -> None:
    """Nothing to do is no failure, is said, and leaves no archive."""
    Path("in").mkdir()
    result = compress("in")
    assert result.code == 0
    assert "no files found" in result.err
    assert not Path("in.bca").exists()


def test_rows_are_what_the_json_says(compress: Run, photos: Path) -> None:
    """The line printed for a picture holds the figures of the row that was stored."""
    lines = {line["path"]: line for line in compress(photos, "--json").json if line["type"] == "done"}
    listed = rows_of(photos.with_name("photos.bca"))
    assert {path: line["archived_bytes"] for path, line in lines.items()} == {
        path: row.payload_bytes for path, row in listed.items()
    }
    assert json.dumps(lines)
