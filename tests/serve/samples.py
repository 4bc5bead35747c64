"""Archives to serve: photos and awkward files, one version of which is damaged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from batchcomp.cli.app import app
from batchcomp.images.picture import Pixels
from batchcomp.serve.gallery import Gallery, GallerySettings
from tests.cli import samples
from tests.pages.samples import HOSTILE

NAME = HOSTILE[0]  # <img src=x onerror=...>


def batchcomp(*arguments: object) -> None:
    """Run a command, which must succeed."""
    found = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="batchcomp")
    assert found.exit_code == 0, found.output


def fill(folder: Path) -> None:
    """Write pictures of all kinds: landscape and portrait, grey, transparent, of 16 bits, with a hostile name."""
    samples.save(folder / "a.png", samples.image(170, 190))
    samples.save(folder / "sea" / "b.jpg", samples.image(90, 130, seed=1), quality=95)
    turned = samples.image(60, 90, seed=2)
    exif = turned.getexif()
    exif[0x112] = 6
    samples.save(folder / "sea" / "turned.jpg", turned, quality=95, exif=exif)
    samples.save(folder / "sea" / "deep" / "grey.png", samples.image(40, 50, mode="L", seed=3))
    clear = samples.image(40, 50, seed=4)
    clear.putalpha(samples.image(40, 50, mode="L", seed=7))
    samples.save(folder / "clear.png", clear)
    samples.save(folder / "sixteen.png", samples.image(40, 50, mode="L", seed=5).convert("I;16"))
    samples.save(folder / NAME, samples.image(40, 50, seed=6), format="PNG")


def make_archive(folder: Path, model: Path) -> Path:
    """Write the archive of these pictures, which stay beside it."""
    fill(folder / "photos")
    batchcomp("compress", folder / "photos", "--model", model, "--jobs", 1)
    return folder / "photos.bca"


def open_gallery(archive: Path, model: Path | None = None, sources: tuple[Path, ...] = ()) -> Gallery:
    """Open an archive, ready to be asked."""
    gallery = Gallery(GallerySettings(archive=archive, sources=sources, device="cpu", model=model))
    gallery.catalogue.refresh()
    return gallery


def pixels_of(path: Path) -> Pixels:
    return samples.pixels_of(path)


def spoil(archive: Path, segment: str, at: int) -> None:
    """Change a byte of a segment."""
    path = archive / segment
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


def started(archive: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start a server on a free port; return its process and the address that it prints."""
    command = [sys.executable, "-m", "batchcomp", "serve", str(archive), "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    line = process.stdout.readline()
    address = re.search(r"http://\S+", line)
    assert address, line + process.communicate()[1]
    return process, address[0]
