"""An archive remembers what it is written with; unchanged pictures are compressed again only when that is asked for."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import batchcomp
from batchcomp.archive import ArchiveReader
from batchcomp.errors import UsageError
from tests.cli import samples
from tests.cli.conftest import Run


@pytest.fixture
def archive(photos: Path) -> Path:
    return photos.with_name("photos.bca")


@pytest.fixture
def night(run: Run, photos: Path) -> Run:
    """Compress with no option that an archive remembers, but for those that are given."""
    return lambda *more: run("compress", photos, "--jobs", 1, *more)


@pytest.fixture
def first(night: Run, archive: Path, tiny_model: Path) -> None:
    """An archive of quality 20."""
    assert night("-q", 20, "--no-measure", "--model", tiny_model).err == "3 stored\n"
    assert archive.is_dir()


def qualities(archive: Path) -> dict[str, float]:
    return {row.path: row.quality for row in ArchiveReader.open(archive).rows()}


def remembered(archive: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((archive / "settings.json").read_text())
    return found


@pytest.mark.usefixtures("first")
def test_a_run_without_options_uses_the_remembered_ones(
    night: Run, photos: Path, archive: Path, tiny_model: Path
) -> None:
    """A forgotten -q changes nothing; new pictures get what the others have."""
    samples.save(photos / "new.png", samples.image(seed=9))
    assert night().err == "1 stored, 3 unchanged\n"
    assert qualities(archive) == dict.fromkeys(["a.png", "b.jpg", "sub/c.png", "new.png"], 20)
    assert remembered(archive) == {
        "format": "batchcomp-settings",
        "version": 1,
        "quality": 20,
        "target": "",
        "model": str(tiny_model),
        "pack": False,
        "codec": "jpeg",
        "effort": 0,
        "measure": "none",
    }
    assert all(row.ms_ssim is None for row in ArchiveReader.open(archive).rows())


@pytest.mark.usefixtures("first")
def test_other_options_hold_for_new_and_changed_ones(night: Run, photos: Path, archive: Path) -> None:
    """The run that changes them says how many others there are; then they are what is remembered."""
    samples.save(photos / "a.png", samples.image(50, 52, seed=8))
    samples.save(photos / "new.png", samples.image(seed=9))
    assert night("-q", 80).err == (
        "2 pictures are stored with quality 20; new and changed ones get quality 80; "
        "--recompress compresses the old ones again\n2 stored, 2 unchanged\n"
    )
    assert qualities(archive) == {"b.jpg": 20, "sub/c.png": 20, "a.png": 80, "new.png": 80}
    assert night().err == "0 stored, 4 unchanged\n"
    summary = night("--json").json[-1]
    assert (summary["unchanged"], summary["otherwise"]) == (4, 2)
    assert night("--recompress").err == "2 stored, 2 unchanged\n"
    assert set(qualities(archive).values()) == {80}
    assert night("--recompress").err == "0 stored, 4 unchanged\n"


@pytest.mark.usefixtures("first")
def test_touched_renamed_and_copied_files_stay_as_they_are(night: Run, photos: Path, archive: Path) -> None:
    """Their content is unchanged, so that other settings do not store it again."""
    os.utime(photos / "a.png", ns=(0, 10**18))
    (photos / "b.jpg").rename(photos / "moved.jpg")
    shutil.copy(photos / "sub" / "c.png", photos / "copy.png")
    summary = night("-q", 80, "--json").json[-1]
    assert (summary["done"], summary["shared"]) == (3, 3)
    assert set(qualities(archive).values()) == {20}


@pytest.mark.usefixtures("first")
def test_a_dry_run_tells_and_remembers_nothing(night: Run, archive: Path) -> None:
    """It says what the run would."""
    before = samples.tree(archive)
    result = night("-q", 80, "--dry-run")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("3 pictures are stored with quality 20; new and changed ones get quality 80; ")
    planned = night("-q", 80, "--dry-run", "--recompress").out.splitlines()
    assert planned == ["a.png: other quality", "b.jpg: other quality", "sub/c.png: other quality"]
    assert samples.tree(archive) == before


@pytest.mark.usefixtures("first")
def test_pictures_that_were_never_measured_stay_so(night: Run, archive: Path) -> None:
    """Measuring them would store them again, so that it takes --recompress."""
    assert night("--measure", "quick").err.startswith("3 pictures are stored with quality 20, no measurement; ")
    assert night("--recompress").err == "3 stored\n"
    assert all(row.ms_ssim is not None for row in ArchiveReader.open(archive).rows())


@pytest.mark.usefixtures("first")
def test_another_model_is_named(night: Run, other_model: Path) -> None:
    """Where the model is what differs."""
    said = night("--model", other_model).err
    assert said.startswith("3 pictures are stored with quality 20, model ")
    assert "get quality 20, model other.safetensors; " in said


@pytest.mark.usefixtures("first")
def test_targets_and_packing_are_remembered(night: Run, photos: Path, archive: Path) -> None:
    """A quality takes a target back, --no-pack packing."""
    night("--max-bytes", 900, "--effort", 1)
    assert (remembered(archive)["target"], remembered(archive)["effort"]) == ("max-bytes 900", 1)
    samples.save(photos / "new.png", samples.image(90, 90, seed=9))
    night()
    row = ArchiveReader.open(archive).row("new.png")
    assert row.recipe == "max-bytes 900, effort 1"
    night("-q", 30, "--effort", 0)
    assert (remembered(archive)["target"], remembered(archive)["quality"], remembered(archive)["effort"]) == ("", 30, 0)


@pytest.mark.usefixtures("first")
def test_what_is_given_beats_what_contradicts_it(night: Run, archive: Path) -> None:
    """A remembered option never makes a sound command line wrong."""
    night("--effort", 1)
    assert night("--codec", "avif").code == 0
    assert night("--effort", 1).code == 0
    assert (remembered(archive)["codec"], remembered(archive)["effort"]) == ("jpeg", 1)
    assert night("--target-ms-ssim", 0.9, "--effort", 0).code == 0
    result = night("--no-measure")
    assert result.code == 2
    assert f"{archive} remembers " in result.err
    assert "target target-ms-ssim 0.9" in result.err


@pytest.mark.usefixtures("first")
def test_the_archive_comes_before_the_configuration_file(night: Run, photos: Path, archive: Path) -> None:
    """The command line before both; what the file says in vain is told."""
    Path("set.toml").write_text("[compress]\nquality = 70\n")
    samples.save(photos / "new.png", samples.image(seed=9))
    result = night("--config", "set.toml")
    assert "quality 20 is remembered, so that 70 of the configuration file is not used" in result.err
    assert qualities(archive)["new.png"] == 20
    night("--config", "set.toml", "-o", "new.bca", "--no-measure")
    assert set(qualities(Path("new.bca")).values()) == {70}


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("content", [None, b"", b"{]", b'{"format":"batchcomp-settings","version":1,"quality":"x"}'])
def test_a_lost_memory_is_harmless(
    night: Run, photos: Path, archive: Path, tiny_model: Path, content: bytes | None
) -> None:
    """The defaults hold for new pictures, none is compressed again, and the run says so."""
    path = archive / "settings.json"
    path.unlink() if content is None else path.write_bytes(content)
    samples.save(photos / "new.png", samples.image(seed=9))
    result = night("--model", tiny_model, "--no-measure")
    assert result.code == 0
    assert ("cannot be used" in result.err) == (content is not None)
    assert "3 pictures are stored with quality 20; new and changed ones get quality 55; " in result.err
    assert qualities(archive) == {"a.png": 20, "b.jpg": 20, "sub/c.png": 20, "new.png": 55}
    assert remembered(archive)["quality"] == 55


@pytest.mark.usefixtures("first")
def test_a_model_that_is_gone_is_named(night: Run, archive: Path) -> None:
    """It is said that the archive remembers it, not only that it is not there."""
    value = {**remembered(archive), "model": "/nowhere/mine.safetensors"}
    (archive / "settings.json").write_text(json.dumps(value))
    result = night()
    assert result.code == 1
    assert result.err.startswith("batchcomp: /nowhere/mine.safetensors: ")
    assert "--model" in result.err


@pytest.mark.usefixtures("first")
def test_the_library_remembers_too(photos: Path, archive: Path) -> None:
    """`batchcomp.compress` goes by what is given, else by what is remembered."""
    samples.save(photos / "new.png", samples.image(seed=9))
    outcome = batchcomp.compress(photos, jobs=1)
    assert (outcome.counts["done"], outcome.counts["unchanged"]) == (1, 3)
    assert set(qualities(archive).values()) == {20}
    outcome = batchcomp.compress(photos, jobs=1, quality=80)
    assert (outcome.counts["done"], outcome.otherwise) == (0, {"quality 20": 4})
    with pytest.raises(UsageError):
        batchcomp.compress(photos, quality=101)
    assert remembered(archive)["quality"] == 80


def test_a_strange_folder_is_no_archive(night: Run, tmp_path: Path) -> None:
    """A settings.json of somebody else is not taken for ours, and stays."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "settings.json").write_text('{"editor": true}')
    result = night("-o", "project", "--no-measure")
    assert result.code == 1
    assert "holds files but no archive" in result.err
    assert (tmp_path / "project" / "settings.json").read_text() == '{"editor": true}'


@pytest.mark.usefixtures("first")
def test_what_is_remembered_is_told_where_it_matters_only(night: Run, archive: Path) -> None:
    """An error that would be there without it does not name it; one that names it calls a model as the file does."""
    result = night("--parity", "nan")
    assert (result.code, "remembers" in result.err) == (2, False)
    path = archive / "settings.json"
    path.write_text(json.dumps({**remembered(archive), "model": "default", "target": "target-ms-ssim 0.9"}))
    result = night("--measure", "none")
    assert result.code == 2
    assert "model default" in result.err
    assert "model none" not in result.err


@pytest.mark.usefixtures("first")
def test_a_folder_in_the_place_of_the_settings_is_left_alone(
    night: Run, archive: Path, photos: Path, tiny_model: Path
) -> None:
    """Nothing is remembered, this is said, and the run goes on, since the file never matters."""
    (archive / "settings.json").unlink()
    (archive / "settings.json").mkdir()
    samples.save(photos / "new.png", samples.image(seed=9))
    result = night("--model", tiny_model, "--no-measure")
    assert (result.code, "1 stored" in result.err) == (0, True)
    assert "it counts as if it were not there" in result.err
    assert (archive / "settings.json").is_dir()
