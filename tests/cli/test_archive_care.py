"""Archives over their life: nightly runs, renamed files, versions, pruning, damage, repair."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, verify
from batchcomp.archive.segment import open_segment
from tests.cli import samples
from tests.cli.conftest import Run


@pytest.fixture
def archive(compress: Run, photos: Path) -> Path:
    """Return an archive of the photos."""
    assert compress(photos, "--no-measure").code == 0
    return photos.with_name("photos.bca")


@pytest.fixture
def again(compress: Run, photos: Path) -> Run:
    """Run `compress` on the photos once more."""
    return lambda *arguments: compress(photos, "--no-measure", *arguments)


def stored(run: Run, archive: Path) -> dict[str, tuple[int, str]]:
    """Return segment and entry of each picture."""
    return {line["path"]: (line["segment"], line["entry"]) for line in run("list", archive, "--json").json[:-1]}


def test_only_new_and_changed_files_are_taken(run: Run, again: Run, photos: Path, archive: Path) -> None:
    """A dry run says so with its reasons, the run does it, and then there is nothing left to do."""
    samples.save(photos / "new.png", samples.image(seed=9))
    samples.save(photos / "a.png", samples.image(50, 50, seed=8))
    (photos / "b.jpg").unlink()
    planned = again("--dry-run")
    assert planned.out.splitlines() == ["a.png: changed", "new.png: new"]
    assert len(list(archive.glob("*.zip"))) == 1
    assert "2 stored, 1 unchanged" in again().err
    assert "0 stored, 3 unchanged" in again().err
    assert run("list", archive).out.split() == ["b.jpg", "sub/c.png", "a.png", "new.png"]


def test_touched_files_cost_a_line(again: Run, photos: Path, archive: Path) -> None:
    """A file with another time is looked at; its content is known, so only its new time is stored."""
    os.utime(photos / "a.png", ns=(1, 10**18))
    result = again("--json")
    (done,) = [line for line in result.json if line["type"] == "done"]
    assert done["path"] == "a.png"
    assert result.json[-1]["shared"] == 1
    row = {row.path: row for row in ArchiveReader.open(archive).rows()}["a.png"]
    assert (row.mtime_ns, row.place[0]) == (10**18, 1)
    assert open_segment(archive, 2).spans == {}


def test_checksum_looks_at_content_alone(again: Run, photos: Path, archive: Path) -> None:
    """With --checksum a touched file is unchanged, and a changed one of the same size and time is not."""
    os.utime(photos / "a.png", ns=(1, 10**18))
    assert "0 stored, 3 unchanged" in again("--checksum").err
    status = (photos / "b.jpg").stat()
    data = bytearray((photos / "b.jpg").read_bytes())
    data[-40] ^= 1
    (photos / "b.jpg").write_bytes(data)
    os.utime(photos / "b.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert again("--checksum", "--dry-run").out.splitlines() == ["b.jpg: content changed"]
    assert "a.png" in again("--dry-run").out
    assert "b.jpg" not in again("--dry-run").out
    del archive


def test_renamed_and_copied_files_are_stored_once(
    run: Run, decode: Run, again: Run, photos: Path, archive: Path
) -> None:
    """Their names lead to the entry that is there, in this run or before, and every name is restored."""
    (photos / "a.png").rename(photos / "moved.png")
    shutil.copy(photos / "sub" / "c.png", photos / "copy.png")
    samples.save(photos / "x.png", samples.image(seed=5))
    shutil.copy(photos / "x.png", photos / "y.png")
    result = again()
    assert "4 stored" in result.err
    places = stored(run, archive)
    assert places["moved.png"] == places["a.png"] == (1, "a.png.jpg")
    assert places["copy.png"] == places["sub/c.png"]
    assert places["y.png"] == places["x.png"]
    assert len(open_segment(archive, 2).spans) == 1
    assert run("verify", archive).code == 0
    assert decode(archive, "-o", "out").code == 0
    assert (Path("out") / "moved.png").read_bytes() == (Path("out") / "a.png").read_bytes()
    assert samples.pixels_of(Path("out") / "copy.png").shape == (33, 35)


def test_content_of_another_quality_is_shared_until_recompressed(
    run: Run, again: Run, photos: Path, archive: Path
) -> None:
    """A copy is content that is stored; with --recompress only content that was stored as it is asked for now is."""
    shutil.copy(photos / "a.png", photos / "copy.png")
    assert again("-q", 20, "--include", "copy.png").code == 0
    assert stored(run, archive)["copy.png"][0] == 1
    assert again("--include", "copy.png", "--recompress").code == 0
    assert stored(run, archive)["copy.png"][0] == 3


def test_damaged_content_is_not_shared(run: Run, again: Run, photos: Path, archive: Path) -> None:
    """While the original is at hand a new copy is made rather than trusting a payload that is rotten."""
    shutil.copy(photos / "a.png", photos / "copy.png")
    segment = archive / "000001.zip"
    row = {row.path: row for row in ArchiveReader.open(archive).rows()}["a.png"]
    payload = ArchiveReader.open(archive).read(row)
    segment.write_bytes(segment.read_bytes().replace(payload, payload[:-3] + b"???"))
    again()
    assert stored(run, archive)["copy.png"] == (2, "copy.png.jpg")


def test_compress_tells_of_damage_and_goes_on(again: Run, photos: Path, archive: Path) -> None:
    """A damaged segment does not stop the nightly run: what was in it counts as new, and the exit code is 4."""
    (archive / "000001.zip").write_bytes(b"rubbish")
    result = again()
    assert result.code == 4
    assert "repair" in result.err
    assert "3 stored" in result.err
    assert len(list(ArchiveReader.open(archive).rows())) == 3
    del photos


def test_prune_keeps_the_last_versions(run: Run, again: Run, photos: Path, archive: Path) -> None:
    """Earlier versions stay until `prune`; it names what it drops and leaves what is current."""
    for seed in (11, 12, 13):
        samples.save(photos / "a.png", samples.image(50, 50, seed=seed))
        assert again().code == 0
    before = run("list", archive).out
    assert run("prune", archive, "--keep-last", 2, "--dry-run").out.count("a.png: superseded") == 2
    assert len(list(ArchiveReader.open(archive).all_rows())) == 6
    result = run("prune", archive, "--keep-last", 2)
    assert "2 versions dropped, 2 segments rewritten" in result.out
    assert len(list(ArchiveReader.open(archive).all_rows())) == 4
    dropped, summary = run("prune", archive, "--json").json
    assert (dropped["type"], dropped["path"], dropped["reason"]) == ("dropped", "a.png", "superseded")
    assert (summary["dropped"], summary["rewritten"]) == (1, 1)
    assert run("list", archive).out == before
    assert run("verify", archive).code == 0


def test_prune_drops_what_is_gone(run: Run, photos: Path, archive: Path) -> None:
    """`--delete-missing` drops pictures whose originals are gone, and refuses if all of them seem to be."""
    (photos / "a.png").unlink()
    empty = photos.with_name("unmounted")
    empty.mkdir()
    result = run("prune", archive, "--delete-missing", empty)
    assert result.code == 2
    assert "none of the 3 pictures" in result.err
    result = run("prune", archive, "--delete-missing", photos)
    assert "a.png: the original is gone" in result.out
    assert run("list", archive).out.split() == ["b.jpg", "sub/c.png"]
    assert verify(archive).ok


def test_verify_compares_with_the_originals(run: Run, photos: Path, archive: Path) -> None:
    """Changed and missing originals are told apart from those that changed behind everyone's back, which is exit 3."""
    result = run("verify", archive, "--sources", photos)
    assert result.code == 0
    assert "originals same 3, changed 0, missing 0, different 0" in result.out
    (photos / "a.png").unlink()
    samples.save(photos / "b.jpg", samples.image(20, 20))
    result = run("verify", archive, "--sources", photos)
    assert result.code == 0
    assert "same 1, changed 1, missing 1, different 0" in result.out
    path = photos / "sub" / "c.png"
    status, data = path.stat(), path.read_bytes()
    path.write_bytes(data[:-1] + b"\0")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    result = run("verify", archive, "--sources", photos)
    assert result.code == 3
    assert "different" in result.err
    assert "c.png" in result.err


def test_verify_takes_a_sample(run: Run, archive: Path) -> None:
    """Only a share of the payloads is read; all of the structure is looked at; nonsense is refused."""
    assert run("verify", archive, "--sample", "100%", "--json").json[-1]["checked"] == 3
    seen = {run("verify", archive, "--sample", "40%", "--json").json[-1]["checked"] for _ in range(40)}
    assert len(seen) > 1
    assert seen <= {0, 1, 2, 3}
    for nonsense in ("0", "101", "some"):
        assert run("verify", archive, "--sample", nonsense).code == 2
    data = (archive / "000001.zip").read_bytes()
    (archive / "000001.zip").write_bytes(data[:-5] + b"\1" + data[-4:])
    assert run("verify", archive, "--sample", "1%").code == 4


def test_repair_saves_and_lists(run: Run, archive: Path) -> None:
    """What is intact is saved, what is lost is named, the damaged file is kept, and verify is clean again."""
    before = {row.path: row for row in ArchiveReader.open(archive).rows()}
    payload = ArchiveReader.open(archive).read(before["b.jpg"])
    data = (archive / "000001.zip").read_bytes().replace(payload, payload[:-3] + b"???")
    (archive / "000001.zip").write_bytes(data)
    assert run("repair", archive, "--dry-run").code == 4
    assert run("verify", archive).code == 4
    result = run("repair", archive)
    assert result.code == 4
    assert "lost: b.jpg" in result.err
    assert "1 segment repaired, 2 pictures saved, 1 lost" in result.out
    assert (archive / "000001.zip.damaged").read_bytes() == data
    assert run("verify", archive).code == 0
    assert {row.path: row for row in ArchiveReader.open(archive).rows()} == {
        path: row for path, row in before.items() if path != "b.jpg"
    }
    result = run("repair", archive)
    assert result.code == 0
    assert "nothing to repair" in result.out


def test_rows_are_rebuilt_from_payloads(run: Run, decode: Run, archive: Path) -> None:
    """A segment without its end still yields pictures that decode, with what their payloads and headers tell."""
    before = {row.path: row for row in ArchiveReader.open(archive).rows()}
    decode(archive, "-o", "before")
    path = archive / "000001.zip"
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"batchcomp-manifest.jsonl")])
    summary = run("repair", archive, "--json").json[-1]
    assert (summary["saved"], summary["rebuilt"], summary["lost"]) == (3, 3, 0)
    for row in ArchiveReader.open(archive).rows():
        for field in ("stored", "width", "height", "scale", "quality", "mtime_ns", "permissions", "source_sha256"):
            assert getattr(row, field) == getattr(before[row.path], field), field
    assert decode(archive, "-o", "after").code == 0
    assert samples.tree(Path("after")) == samples.tree(Path("before"))


def test_a_picture_whose_checksum_fails_is_never_written(decode: Run, archive: Path) -> None:
    """Wherever a byte flips, decode writes the right picture or none."""
    assert decode(archive, "-o", "right").code == 0
    right = samples.tree(Path("right"))
    path = archive / "000001.zip"
    sound = path.read_bytes()
    for at in range(0, len(sound), len(sound) // 40):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 4]) + sound[at + 1 :])
        shutil.rmtree("out", ignore_errors=True)
        decode(archive, "-o", "out")
        assert samples.tree(Path("out")).items() <= right.items(), at
    path.write_bytes(sound)


@pytest.mark.parametrize("command", ["compress", "prune", "repair"])
def test_who_waits_for_whom(run: Run, photos: Path, archive: Path, tiny_model: Path, command: str) -> None:
    """Every command that writes ends with 11 while another one does, and says who, where and since when."""
    arguments = [photos, "-o", archive, "--model", tiny_model, "--jobs", 1] if command == "compress" else [archive]
    with ArchiveWriter(archive):
        result = run(command, *arguments, "--lock-wait", 0.1)
    assert result.code == 11
    assert f"process {os.getpid()} on " in result.err
    assert "since 2" in result.err
    assert run(command, *arguments, "--lock-wait", 1).code == 0


@pytest.mark.parametrize("command", ["prune", "repair"])
def test_what_changes_an_archive_never_guesses_which(run: Run, archive: Path, command: str) -> None:
    """The one last written is a hint, no more; nothing is done."""
    before = samples.tree(archive)
    result = run(command)
    assert result.code == 2
    assert f"name it: the one last written is {archive}" in result.err
    assert samples.tree(archive) == before


def test_prune_refuses_to_drop_many(run: Run, again: Run, photos: Path, archive: Path) -> None:
    """More than a tenth goes only if that is said; a dry run lists it all the same."""
    for number in range(17):
        samples.save(photos / f"{number}.png", samples.image(seed=number + 50))
    again()
    for number in range(3):
        (photos / f"{number}.png").unlink()
    before = samples.tree(archive)
    result = run("prune", archive, "--delete-missing", photos)
    assert result.code == 2
    assert "3 of 20 pictures would go for good, at most 10 % may" in result.err
    dry = run("prune", archive, "--delete-missing", photos, "--dry-run")
    assert (dry.code, dry.out.count("the original is gone")) == (0, 3)
    assert "pass --yes" in dry.err
    assert samples.tree(archive) == before
    assert run("prune", archive, "--delete-missing", photos, "--max-drop", 15, "--dry-run").err == ""
    assert run("prune", archive, "--delete-missing", photos, "--yes").code == 0
    assert len(stored(run, archive)) == 17


def test_a_source_that_is_suddenly_empty_is_told(
    run: Run, compress: Run, again: Run, photos: Path, archive: Path, tmp_path: Path
) -> None:
    """Its disk is not mounted, most likely: compress fails, prune drops nothing, whatever is said."""
    photos.rename(tmp_path / "full")
    (photos / "lost+found").mkdir(parents=True)
    (photos / "NOT_MOUNTED").touch()
    for arguments in ([], ["--quiet"], ["--dry-run"]):
        result = again(*arguments)
        assert result.code == 3
        assert "no picture is there any more, the archive holds 3 of it; see that its disk is mounted" in result.err
    assert again("--include", "*.webp").code == 0  # of which there never were any
    assert run("prune", archive, "--delete-missing", photos, "--yes").code == 2
    (tmp_path / "other").mkdir()
    samples.save(tmp_path / "other/x.png")
    photos.joinpath("NOT_MOUNTED").unlink()
    (photos / "lost+found").rmdir()
    photos.rmdir()
    (tmp_path / "full").rename(photos)
    both = [photos, tmp_path / "other"]
    assert compress(*both, "-o", "both.bca", "--no-measure").code == 0
    (tmp_path / "other/x.png").unlink()
    result = compress(*both, "-o", "both.bca", "--no-measure", "--quiet")
    assert result.code == 3
    assert f"{tmp_path / 'other'}: no picture is there any more, the archive holds 1 of it" in result.err
    refused = run("prune", "both.bca", "--delete-missing", photos, "--delete-missing", tmp_path / "other", "--yes")
    assert refused.code == 2
    assert "none of the 1 pictures has its original below" in refused.err


def test_prune_waits_for_the_first_segment(run: Run, tmp_path: Path) -> None:
    """An archive that is being made is locked, not missing; so is it for repair."""
    with ArchiveWriter(tmp_path / "new.bca"):
        for command in ("prune", "repair"):
            assert run(command, "new.bca").code == 11
    assert run("prune", "new.bca").code == 10


def test_what_only_looks_like_a_segment_is_named_once(run: Run, again: Run, archive: Path) -> None:
    """Every command says so, --quiet does not, and none minds."""
    for name in ("0000001.zip", "20261125.zip"):
        shutil.copy(archive / "000001.zip", archive / name)
    (archive / "000002.zip").mkdir()
    for command in ("list", "report", "verify", "prune", "repair"):
        result = run(command, archive)
        assert result.code == 0
        assert result.err.count("passed over") == 3
    assert again("--quiet").err == ""
    assert "3 unchanged" in again().err
    assert not [path for path in archive.iterdir() if "damaged" in path.name]


def test_repair_says_what_it_cannot_count(run: Run, archive: Path) -> None:
    """An empty segment ends with exit code 4 and the word unknown; a copy is named."""
    shutil.copy(archive / "000001.zip", archive / "000002.zip")
    found = run("repair", archive)
    assert (found.code, "says that it is segment 1" in found.err) == (0, True)
    (archive / "000001.zip").write_bytes(b"")
    found = run("repair", archive)
    assert (found.code, "unknown" in found.err, "unknown" in found.out) == (4, True, True)


def test_prune_by_days(run: Run, again: Run, photos: Path, archive: Path) -> None:
    """Of two versions of one day the last stays; a dry run says which rule keeps it."""
    samples.save(photos / "a.png", samples.image(50, 50, seed=8))
    assert again().code == 0
    said = run("prune", archive, "--keep-daily", "7", "--keep-yearly", "1", "--dry-run")
    assert "a.png: superseded" in said.out
    assert "a.png: kept (daily 2" in said.out
    assert "1 version dropped" in run("prune", archive, "--keep-weekly", "1").out


@pytest.mark.parametrize(
    ("command", "more"), [("decode", ["-o", "out"]), ("unpack", ["-o", "out"]), ("list", []), ("report", [])]
)
def test_an_older_version_that_stands_in_is_told(
    run: Run, again: Run, photos: Path, archive: Path, command: str, more: list[str]
) -> None:
    """Where a damaged manifest hides a new version, whoever reads learns that, and how to get it back."""
    samples.save(photos / "a.png", samples.image(50, 50, seed=8))
    assert again().code == 0
    second = archive / "000002.zip"
    span = open_segment(archive, 2).manifest
    data = bytearray(second.read_bytes())
    data[span.offset + 80] ^= 1
    second.write_bytes(data)
    result = run(command, archive, *more)
    assert result.code == 4
    assert "older versions may stand in" in result.err
    assert "batchcomp repair" in result.err
