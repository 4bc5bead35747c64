"""How a stored picture compares with the original and with plain JPEG."""

from __future__ import annotations

from batchcomp.archive.rows import JpegComparison
from batchcomp.codec.plain_jpeg import JpegCurve
from batchcomp.images.jpeg_segments import MAX_SIDE
from batchcomp.images.picture import Picture
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.pipeline.job import Measurement


def measure(original: Picture, restored: Picture, image_bytes: int) -> Measurement:
    """Compare a restored picture with its original, and with the best plain JPEG of at most `image_bytes`.

    Args:
        original: the source.
        restored: what decoding gives back, same shape.
        image_bytes: the payload's bytes without EXIF, ICC and XMP, which the rival does not carry either.

    Returns:
        `jpeg` is None where a side exceeds `MAX_SIDE`. `jpeg.bytes` exceeds `image_bytes` only where JPEG's lowest
        quality does; `jpeg.bytes_at_ms_ssim`, at which JPEG reaches our MS-SSIM, is interpolated: see
        `JpegCurve.bytes_at`.
    """
    similarity = ms_ssim(original.pixels, restored.pixels)
    if max(original.width, original.height) > MAX_SIDE:
        return Measurement(ms_ssim=similarity, jpeg=None)
    curve = JpegCurve(original.pixels)
    fitting = curve.best_within(image_bytes)
    return Measurement(
        ms_ssim=similarity,
        jpeg=JpegComparison(
            quality=fitting,
            bytes=curve.size(fitting),
            ms_ssim=curve.ms_ssim(fitting),
            bytes_at_ms_ssim=curve.bytes_at(similarity, fitting),
        ),
    )
