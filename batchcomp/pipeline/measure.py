"""How a stored picture compares with the original and with plain JPEG."""

from __future__ import annotations

from dataclasses import replace

from batchcomp.archive.rows import JpegComparison
from batchcomp.codec.plain_jpeg import LOWEST, JpegCurve
from batchcomp.codec.quick_jpeg import BASE_DB, QuickCurve, places
from batchcomp.images.jpeg_segments import MAX_SIDE
from batchcomp.images.picture import Picture
from batchcomp.metrics.ms_ssim import Terms, ms_ssim_db
from batchcomp.metrics.ssimulacra2 import ssimulacra2
from batchcomp.pipeline.job import Measurement
from batchcomp.settings import EXACT, EYE, QUICK


def measure(
    original: Picture, restored: Picture, image_bytes: int, how: str = QUICK, *, threads: int = 1
) -> Measurement:
    """Compare a restored picture with its original, and with the best plain JPEG of at most `image_bytes`.

    Args:
        original: the source.
        restored: what decoding gives back, same shape.
        image_bytes: the payload's bytes without EXIF, ICC and XMP, which the rival does not carry either.
        how: a key of `settings.MEASURES`. All but `EXACT` take JPEG's figures from few files, of large pictures
            in part from squares of them, and only where JPEG may be the better one from as many files as it takes.
        threads: how many to use.

    Returns:
        `ms_ssim` is exact, however it is measured. `jpeg` is None where a side exceeds `MAX_SIDE`. `jpeg.bytes` exceeds
        `image_bytes` only where JPEG's lowest quality does; `jpeg.bytes_at_ms_ssim`, at which JPEG reaches our MS-SSIM,
        is interpolated: see `JpegCurve.bytes_at`.
    """
    ours = Terms.of(original.pixels, restored.pixels, threads=threads)
    jpeg = None
    if max(original.width, original.height) <= MAX_SIDE:
        if how != EXACT:
            jpeg = _quickly(original, restored, image_bytes, ours)
        if jpeg is None:
            jpeg = _exactly(original, image_bytes, ours)
    score = ssimulacra2(restored.pixels, original.pixels) if how == EYE else None
    return Measurement(ms_ssim=ours.similarity, jpeg=jpeg, ssimulacra2=score)


def _exactly(original: Picture, image_bytes: int, ours: Terms) -> JpegComparison:
    curve = JpegCurve(original.pixels)
    fitting = curve.best_within(image_bytes)
    return _comparison(curve, fitting, curve.bytes_at(ours.similarity, fitting))


def _quickly(original: Picture, restored: Picture, image_bytes: int, ours: Terms) -> JpegComparison | None:
    """The same from few files; None where that leaves open which of the two is better."""
    at = places(original.height, original.width)
    if not at:
        curve = JpegCurve(original.pixels)
        fitting = curve.best_within(image_bytes)
        return replace(_comparison(curve, fitting, curve.bytes_near(ours.similarity, fitting)), within_db=BASE_DB)
    quick = QuickCurve(original.pixels, restored.pixels, ours, at)
    fitting = quick.best_within(image_bytes)
    at_equal = quick.bytes_near(ours.similarity, max(quick.made))
    within, similarity = quick.within_db, quick.about(fitting)
    if fitting == LOWEST or ms_ssim_db(ours.similarity) - ms_ssim_db(similarity) <= within:
        return None
    return JpegComparison(
        quality=fitting,
        bytes=min(image_bytes, quick.size(fitting)),
        ms_ssim=similarity,
        bytes_at_ms_ssim=at_equal,
        within_db=within,
    )


def _comparison(curve: JpegCurve, fitting: int, at_equal: int | None) -> JpegComparison:
    return JpegComparison(
        quality=fitting, bytes=curve.size(fitting), ms_ssim=curve.ms_ssim(fitting), bytes_at_ms_ssim=at_equal
    )
