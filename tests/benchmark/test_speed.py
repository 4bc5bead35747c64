"""Speed of single codecs."""

from __future__ import annotations

from batchcomp.benchmark.rivals.jpeg import JpegRival
from batchcomp.benchmark.rivals.ours import Ours
from batchcomp.benchmark.speed import measure_speeds, quality_near
from batchcomp.metrics.rate import bits_per_pixel
from tests.benchmark.samples import HalfJpeg, photo


def test_speed_is_measured_near_the_usual_rate() -> None:
    """The coarsest quality that reaches the rate is timed."""
    rgb, jpeg = photo(), JpegRival()
    quality = quality_near(rgb, jpeg, 0.9)
    coarser = jpeg.qualities[jpeg.qualities.index(quality) - 1]
    reached = [bits_per_pixel(len(jpeg.encode(rgb, q)), 168, 176) for q in (coarser, quality)]
    assert reached[0] < 0.9 <= reached[1]
    (speed,) = measure_speeds(rgb, [Ours(HalfJpeg())], threads=1)
    assert speed.encode_mps > 0
    assert speed.decode_mps > 0
