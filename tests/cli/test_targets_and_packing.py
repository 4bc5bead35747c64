"""`compress` with a target, `--pack` and `--codec`; `unpack`."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.cli import samples
from tests.cli.conftest import Run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a folder with one photo large enough to be packed with gain."""
    samples.save(tmp_path / "photos" / "a.png", samples.image(200, 260))
    return tmp_path / "photos"


def test_packed_payloads_unpack_to_the_jpegs_of_a_run_without_packing(compress: Run, run: Run, photo: Path) -> None:
    """The very bytes that `compress` without `--pack` stores come out, from the archive and from a lone file."""
    assert compress(photo, "-o", "plain.bca", "-q", 30).code == 0
    result = compress(photo, "-o", "packed.bca", "-q", 30, "--pack", "--json")
    assert result.code == 0
    row = next(line for line in result.json if line["type"] == "done")
    assert row["stored"] == "packed"
    assert row["archived_bytes"] < row["unpacked_bytes"]
    with zipfile.ZipFile("plain.bca/000001.zip") as file:
        expected = file.read("a.png.jpg")
    with zipfile.ZipFile("packed.bca/000001.zip") as file:
        file.extract("a.png.jpg.bcp")
    assert run("unpack", "packed.bca", "-o", "out").code == 0
    assert Path("out/a.png.jpg").read_bytes() == expected
    assert run("unpack", "a.png.jpg.bcp", "-o", "alone").code == 0
    assert Path("alone/a.png.jpg").read_bytes() == expected
    assert run("unpack", "plain.bca", "-o", "as-it-is").code == 0
    assert Path("as-it-is/a.png.jpg").read_bytes() == expected


def test_unpack_names_what_is_not_packed(run: Run, photo: Path) -> None:
    """A file that is no packed payload fails by name; the others go on."""
    result = run("unpack", photo / "a.png")
    assert result.code == 3
    assert "not a packed payload" in result.err


def test_unpack_overwrites_nothing(compress: Run, run: Run, photo: Path) -> None:
    """A file that is there stays, unless `--force` is given."""
    compress(photo, "-o", "p.bca", "--pack")
    assert run("unpack", "p.bca", "-o", "out").code == 0
    assert run("unpack", "p.bca", "-o", "out").code == 3
    assert run("unpack", "p.bca", "-o", "out", "--force").code == 0


@pytest.mark.parametrize("options", [("--pack",), ("--codec", "avif")])
def test_decode_does_not_care_what_holds_the_picture(
    compress: Run, decode: Run, photo: Path, options: tuple[str, ...]
) -> None:
    """Archive and lone payload restore to the picture's size; verify restores them too."""
    assert compress(photo, "-o", "p.bca", *options).code == 0
    assert decode("p.bca", "-o", "out").code == 0
    assert samples.pixels_of(Path("out/a.png")).shape == (200, 260, 3)
    with zipfile.ZipFile("p.bca/000001.zip") as file:
        name = file.namelist()[0]
        file.extract(name)
    assert decode(name, "-o", "alone").code == 0
    assert (samples.pixels_of(Path("alone/a.png")) == samples.pixels_of(Path("out/a.png"))).all()


def test_an_avif_payload_opens_in_pillow_by_its_own_name(compress: Run, photo: Path) -> None:
    """`unzip` gives `a.png.avif`, a picture of half the size."""
    assert compress(photo, "-o", "p.bca", "--codec", "avif").code == 0
    with zipfile.ZipFile("p.bca/000001.zip") as file, Image.open(io.BytesIO(file.read("a.png.avif"))) as image:
        assert (image.format, image.size) == ("AVIF", (130, 100))


def test_the_report_shows_both_figures(compress: Run, run: Run, photo: Path) -> None:
    """Bytes as packed and as JPEG stand below the table."""
    compress(photo, "-o", "p.bca", "--pack")
    result = run("report", "p.bca")
    assert result.code == 0
    assert "packed: 1 picture, " in result.out
    assert "as JPEGs" in result.out


def test_a_target_out_of_reach_is_said(compress: Run, photo: Path) -> None:
    """One line a picture, on stderr; the run still succeeds with the nearest."""
    result = compress(photo, "-o", "p.bca", "--max-bytes", 100)
    assert result.code == 0
    assert "a.png: max-bytes 100 is out of reach: " in result.err


def test_two_targets_are_a_usage_error(compress: Run, photo: Path) -> None:
    """Only one wish at a time."""
    result = compress(photo, "--max-bytes", 100, "--max-bpp", 0.5)
    assert result.code == 2
    assert "--max-bpp and --max-bytes: choose one of them" in result.err


def test_effort_makes_another_file_that_decodes_as_well(compress: Run, decode: Run, photo: Path) -> None:
    """`--effort` is noted, stores anew with --recompress where it was stored without, and decodes without an option."""
    assert compress(photo, "-o", "p.bca", "-q", 40).code == 0
    again = compress(photo, "-o", "p.bca", "-q", 40, "--effort", 4, "--json", "--recompress")
    assert [line["path"] for line in again.json if line["type"] == "done"] == ["a.png"]
    same = compress(photo, "-o", "p.bca", "-q", 40, "--effort", 4, "--json", "--recompress")
    assert not [line for line in same.json if line["type"] == "done"]
    assert decode("p.bca", "-o", "out").code == 0
    with Image.open("out/a.png") as image:
        assert image.size == (260, 200)


@pytest.mark.parametrize("options", [("--effort", "10"), ("--effort", "3", "--codec", "avif")])
def test_effort_that_makes_no_sense_is_a_usage_error(compress: Run, photo: Path, options: tuple[str, ...]) -> None:
    """More than there is, or AVIF, whose coefficients are not ours to choose."""
    result = compress(photo, "-o", "p.bca", *options)
    assert result.code == 2
    assert "effort" in result.err
