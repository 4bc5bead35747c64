"""Check a report with nothing but pytorch_msssim and the files: is every figure what the disk says?

    batchcomp compress PHOTOS -o A.bca && batchcomp decode A.bca -o OUT
    python tools/check_report.py PHOTOS A.bca OUT

Recomputes MS-SSIM from the decoded PNGs and bits per pixel from the bytes of the ZIP entries. Exit code 1 if a picture
differs from the report by more than 1e-4 in MS-SSIM or by a single byte.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image
from pytorch_msssim import ms_ssim

TOLERANCE = 1e-4


def tensor(path: Path) -> torch.Tensor:
    """(1, 3, H, W), 0 .. 255."""
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float()


def entry_bytes(archive: Path) -> dict[str, int]:
    """Bytes of every entry, by name, as the ZIP files hold them."""
    sizes: dict[str, int] = {}
    for segment in sorted(archive.glob("*.zip")):
        with zipfile.ZipFile(segment) as opened:
            sizes |= {info.filename: info.compress_size for info in opened.infolist()}
    return sizes


def main(photos: Path, archive: Path, decoded: Path) -> int:
    """Compare; print one line a picture that differs and one in all."""
    command = [sys.executable, "-m", "batchcomp", "report", str(archive), "--json"]
    output = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
    lines = [json.loads(line) for line in output.splitlines()]
    sizes, worst, wrong = entry_bytes(archive), 0.0, 0
    for row in lines:
        if row["type"] != "picture" or row["stored"] != "compact" or min(row["width"], row["height"]) <= 160:
            continue
        restored = decoded / PurePosixPath(row["path"]).with_suffix(".png")
        ours = float(ms_ssim(tensor(photos / row["path"]), tensor(restored), data_range=255))
        bpp = sizes[row["path"] + ".jpg"] * 8 / (row["width"] * row["height"])
        difference = abs(ours - row["ms_ssim"])
        worst = max(worst, difference)
        if difference > TOLERANCE or bpp != row["bpp"]:
            wrong += 1
            sys.stdout.write(
                f"{row['path']}: MS-SSIM {ours} against {row['ms_ssim']}, bpp {bpp} against {row['bpp']}\n"
            )
    (total,) = (line for line in lines if line["type"] == "totals")
    sys.stdout.write(
        f"{total['compact']} pictures, mean {total['mean_bpp']:.4f} bpp, MS-SSIM {total['mean_ms_ssim']:.5f}: "
        f"largest difference {worst:.1e}, {wrong} wrong\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:4])))
