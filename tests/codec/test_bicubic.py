"""The double network without nets."""

from __future__ import annotations

import numpy as np
import torch

from batchcomp.codec import weights
from batchcomp.codec.bicubic import bicubic_model
from batchcomp.codec.codec import Codec
from batchcomp.codec.networks.jiang2017 import Jiang2017Network
from batchcomp.images.picture import Picture
from tests.codec.networks.test_jiang2017 import TINY, noise


def test_untrained_nets_make_the_files_of_no_nets() -> None:
    """Bicubic half size + JPEG, byte for byte but for the model's name, and the same picture back."""
    torch.manual_seed(3)
    untrained = Codec(weights.from_bytes(weights.to_bytes(Jiang2017Network(TINY, normalised=True).fused()), "x"))
    plain = Codec(bicubic_model())
    smooth = np.linspace(0, 255, 96 * 80 * 3).reshape(96, 80, 3).astype(np.uint8)
    picture = Picture(pixels=smooth + noise(96, 80) // 16)
    files = [codec.compress(picture, 40) for codec in (untrained, plain)]
    restored = [codec.restore(data).pixels for codec, data in zip((untrained, plain), files, strict=True)]
    name = bytes.fromhex(untrained.model.sha256)[:4]
    assert files[0].replace(name, bytes(4)) == files[1]
    assert np.array_equal(*restored)
