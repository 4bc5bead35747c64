"""Targets: bytes and similarity that every picture is to meet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp.archive import ArchiveReader, Row
from batchcomp.codec import jpeg, plain_jpeg
from batchcomp.codec.tables import FINE_FROM
from batchcomp.errors import UsageError
from batchcomp.images.load import load
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.metrics.ssimulacra2 import ssimulacra2
from batchcomp.pipeline.alternatives import OUT_OF_REACH
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.records import tally
from batchcomp.settings import CompressSettings, DecodeSettings, Target


def folder_of(tmp_path: Path, **pictures: np.ndarray) -> Path:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    for name, pixels in pictures.items():
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(folder / f"{name}.png")
    return folder


def stored(folder: Path, target: Target | None, **options: object) -> dict[str, Row]:
    """Compress with the shipped model."""
    archive = folder.parent / "a.bca"
    settings = CompressSettings(
        paths=(folder,), archive=archive, target=target, device="cpu", jobs=1, isolate=False, **options
    )
    outcome = tally(compress_archive(settings))
    assert not outcome.failures
    return {row.path: row for row in ArchiveReader.open(archive).rows()}


def restored(folder: Path) -> dict[str, np.ndarray]:
    archive, out = folder.parent / "a.bca", folder.parent / "out"
    assert not tally(decode_archive(DecodeSettings(source=archive, out=out, jobs=1, device="cpu"))).failures
    return {path.name: load(path).pixels for path in out.iterdir()}


CHELSEA = load(Path(__file__).parents[2] / "examples" / "photos" / "chelsea.png").pixels
PICTURES = {"a": CHELSEA, "b": CHELSEA[40:, :333, 1:2]}


@pytest.mark.parametrize("options", [{}, {"pack": True}])
def test_max_bytes_is_met_and_used(tmp_path: Path, options: dict[str, object]) -> None:
    """Every payload has at most the bytes asked for, and at least 98 % of them; packed ones as packed."""
    folder = folder_of(tmp_path, **PICTURES)
    for row in stored(folder, Target(kind="max-bytes", value=6000), **options).values():
        assert row.stored == ("packed" if options else "compact")
        assert 0.98 * 6000 <= row.payload_bytes <= 6000
        assert row.recipe == ("max-bytes 6000, packed" if options else "max-bytes 6000")


def test_max_bpp_counts_the_pictures_own_pixels(tmp_path: Path) -> None:
    """Bits per pixel are of the whole entry over the source's pixels."""
    folder = folder_of(tmp_path, **PICTURES)
    for row in stored(folder, Target(kind="max-bpp", value=0.4)).values():
        bpp = 8 * row.payload_bytes / (row.width * row.height)
        assert 0.98 * 0.4 <= bpp <= 0.4


def test_target_ms_ssim_is_reached_with_little_to_spare(tmp_path: Path) -> None:
    """What decoding gives back has the similarity asked for, at most .0005 more, on any kind of payload."""
    folder = folder_of(tmp_path, **PICTURES)
    rows = stored(folder, Target(kind="target-ms-ssim", value=0.96))
    for name, pixels in restored(folder).items():
        similarity = ms_ssim(load(folder / name).pixels, pixels)
        assert similarity == pytest.approx(rows[name].ms_ssim, abs=2e-6)
        assert similarity >= 0.96 - 1e-6
        if rows[name].stored == "compact":
            assert similarity <= 0.9605


@pytest.mark.parametrize("quality", [30, 85])
def test_match_jpeg_is_as_good_in_the_fewest_bytes(tmp_path: Path, quality: int) -> None:
    """At least the MS-SSIM of that JPEG of the same picture, hardly more, and fewer bytes than it takes."""
    folder = folder_of(tmp_path, **PICTURES)
    rows = stored(folder, Target(kind="match-jpeg", value=quality))
    for name, pixels in restored(folder).items():
        original, row = load(folder / name).pixels, rows[name]
        rival = plain_jpeg.encode(original, quality)
        wanted = ms_ssim(original, jpeg.decode(rival)[0])
        assert ms_ssim(original, pixels) >= wanted - 1e-6
        assert row.payload_bytes - row.metadata_bytes < len(rival)
        gap = FINE_FROM <= row.quality < FINE_FROM + 0.2  # where full size begins
        if row.stored == "compact" and not gap:
            assert ms_ssim_db(ms_ssim(original, pixels)) <= ms_ssim_db(wanted) + 0.101


def test_jpeg_itself_is_stored_where_nothing_smaller_is_as_good(tmp_path: Path) -> None:
    """Of noise, which the networks do nothing for, the JPEG that was asked for comes back, optimised."""
    noise = np.random.default_rng(1).integers(0, 256, (200, 240, 1), np.uint8)
    folder = folder_of(tmp_path, a=noise)
    row = stored(folder, Target(kind="match-jpeg", value=60))["a.png"]
    assert row.stored == "jpeg"
    wanted = ms_ssim(noise, jpeg.decode(plain_jpeg.encode(noise, 60))[0])
    assert row.ms_ssim == pytest.approx(wanted, abs=1e-6)
    assert row.payload_bytes <= len(plain_jpeg.encode(noise, 60))


def test_match_jpeg_bytes_takes_no_more_bytes_and_is_closer(tmp_path: Path) -> None:
    """Against the JPEG of that quality, without metadata on either side: fewer bytes, more similarity."""
    folder = folder_of(tmp_path, **PICTURES)
    rows = stored(folder, Target(kind="match-jpeg-bytes", value=40))
    for name, pixels in restored(folder).items():
        original = load(folder / name).pixels
        rival = plain_jpeg.encode(original, 40)
        assert rows[name].payload_bytes - rows[name].metadata_bytes <= len(rival)
        assert ms_ssim(original, pixels) > ms_ssim(original, jpeg.decode(rival)[0])


def test_what_is_out_of_reach_is_said(tmp_path: Path) -> None:
    """Where nothing is small enough, the smallest is stored and the manifest names target and bytes."""
    folder = folder_of(tmp_path, a=PICTURES["a"])
    row = stored(folder, Target(kind="max-bytes", value=150))["a.png"]
    assert row.reason.startswith(f"max-bytes 150 {OUT_OF_REACH}: ")
    assert row.payload_bytes > 150
    assert f"{row.payload_bytes:,} bytes is the least" in row.reason


def test_similarity_beyond_the_networks_is_met_by_something_else(tmp_path: Path) -> None:
    """A plain JPEG, a lossless file or the source itself reaches what half-size pictures cannot."""
    folder = folder_of(tmp_path, **PICTURES)
    rows = stored(folder, Target(kind="target-ms-ssim", value=0.9996))
    for name, pixels in restored(folder).items():
        assert rows[name].payload_bytes <= rows[name].source_bytes
        assert ms_ssim(load(folder / name).pixels, pixels) >= 0.9996


def test_a_second_run_leaves_met_targets_alone(tmp_path: Path) -> None:
    """The same target is unchanged; another one, or a plain quality, is another wish, for `recompress`."""
    folder = folder_of(tmp_path, a=PICTURES["a"])
    options = {"paths": (folder,), "archive": tmp_path / "a.bca", "device": "cpu", "jobs": 1, "isolate": False}
    options["recompress"] = True
    target = Target(kind="max-bytes", value=5000)
    for wish, expected in ((target, "done"), (target, "unchanged"), (Target(kind="max-bytes", value=4000), "done")):
        assert tally(compress_archive(CompressSettings(**options, target=wish))).counts[expected] == 1  # type: ignore[arg-type]
    assert tally(compress_archive(CompressSettings(**options))).counts["done"] == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("match-jpeg", 0), ("match-jpeg-bytes", 101), ("target-ms-ssim", 1.0), ("max-bpp", 0), ("max-bytes", 0)],
)
def test_targets_that_make_no_sense_are_usage_errors(kind: str, value: float) -> None:
    """A value outside its range names the range."""
    with pytest.raises(UsageError, match=rf"--{kind} .*: expected .* to "):
        Target(kind=kind, value=value)


def test_targets_that_need_measuring_say_so(tmp_path: Path) -> None:
    """`--no-measure` cannot promise a similarity; packing needs JPEG payloads."""
    common = {"paths": (tmp_path,), "archive": tmp_path / "a.bca"}
    with pytest.raises(UsageError, match="has to measure"):
        CompressSettings(**common, measure="none", target=Target(kind="match-jpeg", value=40))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="only JPEG payloads can be packed"):
        CompressSettings(**common, codec="avif", pack=True)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="codec 'gif': expected one of jpeg, avif"):
        CompressSettings(**common, codec="gif")  # type: ignore[arg-type]


def test_ssimulacra2_is_reached_in_few_bytes(tmp_path: Path) -> None:
    """The score of what is restored is at least the one asked for, and the rows say it where it is measured."""
    rows = stored(folder_of(tmp_path, a=CHELSEA), Target(kind="target-ssimulacra2", value=60), measure="ssimulacra2")
    (row,) = rows.values()
    assert row.recipe == "target-ssimulacra2 60"
    assert row.ssimulacra2 is not None
    assert 60 <= row.ssimulacra2 < 62
    assert ssimulacra2(restored(tmp_path / "in")["a.png"], CHELSEA) == pytest.approx(row.ssimulacra2, abs=0.01)
