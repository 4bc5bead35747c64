"""The metrics that only the benchmark needs: CIEDE2000 and SSIMULACRA2."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from ssimulacra2 import compute_ssimulacra2

from batchcomp.images.picture import Pixels

MAX_COLOURS = 2**18  # pixels that CIEDE2000 looks at: it takes about a microsecond for each


def ciede2000(x: Pixels, y: Pixels) -> float:
    """Return the mean CIEDE2000 colour difference of two sRGB pictures, uint8 (H, W, 3); about 1 is just visible.

    A picture of more than 2^18 pixels is sampled on the finest regular grid that has no more of them: the mean over
    a photo changes in the third digit.
    """
    step = math.ceil(math.sqrt(x.shape[0] * x.shape[1] / MAX_COLOURS))
    x_lab, y_lab = (rgb2lab(pixels[::step, ::step]) for pixels in (x, y))
    return float(np.mean(deltaE_ciede2000(x_lab, y_lab)))  # type: ignore[no-untyped-call]


def ssimulacra2(reference: Pixels, picture: Pixels) -> float:
    """Return SSIMULACRA2 of uint8 (H, W, 3), sides >= 8 px: 100 is lossless, 90 visually so, below 30 poor.

    The package reads files; lossless ones in memory serve.
    """
    return float(compute_ssimulacra2(_as_file(reference), _as_file(picture)))


def _as_file(pixels: Pixels) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "BMP")
    buffer.seek(0)
    return buffer
