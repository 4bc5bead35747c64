"""Seconds of each stage between a file and the archive and back, on one picture, each with all threads."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from batchcomp.archive import ArchiveReader, ArchiveWriter
from batchcomp.archive.rows import Row
from batchcomp.benchmark.hyperprior import STRIDE, M, macs_per_pixel, synthesis
from batchcomp.benchmark.machine import in_parallel, matmul_gflops, median_seconds, torch_threads
from batchcomp.codec.codec import Codec
from batchcomp.images.load import decode_picture, read_source
from batchcomp.images.picture import Picture
from batchcomp.images.save import save
from batchcomp.pipeline.measure import measure
from batchcomp.settings import DEFAULT_QUALITY

HYPERPRIOR_SIDE = 512  # of the picture it makes: 1,024 was no faster, 256 slower


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Megapixels of the picture a second."""

    name: str
    mps: float


@dataclass(frozen=True, kw_only=True)
class NetSpeed:
    """How a network stands to the machine's own matrix product, measured beside it."""

    name: str
    mps: float
    kmacs: float  # thousand multiplications a pixel of the picture, as direct convolutions need them
    gflops: float  # of those, in 10^9 operations a second
    share: float  # of the peak; above 1 where the kernels need fewer products than direct convolution


def measure_stages(path: Path, codec: Codec, *, threads: int, runs: int = 3) -> list[Stage]:
    """Time the stages of compressing and restoring one file: load to write, read to save, and measuring.

    Stages that use one core are done `threads` times at once and count that often, as in a run over many files.
    """
    data = read_source(path).data
    picture = decode_picture(data, path.name)
    compact = codec.compact([picture], DEFAULT_QUALITY)[0]
    payload = Codec.encode(compact)
    decoded = Codec.decode(payload)
    restored = codec.reconstruct([decoded])[0]
    pixels = picture.height * picture.width / 1e6

    def stage(name: str, work: Callable[[], object], copies: int = threads) -> Stage:
        seconds = median_seconds(in_parallel(work, copies) if copies > 1 else work, runs)
        return Stage(name=name, mps=pixels * copies / seconds)

    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder, "read.bca"), payload, picture)
        return [
            stage("load", lambda: decode_picture(read_source(path).data, path.name)),
            stage("ComCNN", lambda: codec.compact([picture], DEFAULT_QUALITY), 1),
            stage("encode", lambda: Codec.encode(compact)),
            stage("write", lambda: _write(Path(folder), payload, picture), 1),
            stage("read", lambda: _read(Path(folder, "read.bca")), 1),
            stage("decode", lambda: Codec.decode(payload)),
            stage("RecCNN", lambda: codec.reconstruct([decoded]), 1),
            stage("save PNG", lambda: save(restored, Path(folder, "a.png"), format="png", overwrite=True), 1),
            stage("measure", lambda: measure(picture, restored, len(payload))),
        ]


def _write(folder: Path, payload: bytes, picture: Picture) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        _fill(Path(fresh, "a.bca"), payload, picture)


def _fill(archive: Path, payload: bytes, picture: Picture) -> None:
    with ArchiveWriter(archive) as writer:
        row = Row(
            path="a.png", stored="verbatim", source_bytes=len(payload), mtime_ns=0, permissions=0o644,
            source_sha256="0" * 64, width=picture.width, height=picture.height, mode=picture.mode,
            payload_bytes=len(payload), seconds=0,
        )  # fmt: skip
        writer.add(row, payload)


def _read(archive: Path) -> None:
    with ArchiveReader.open(archive) as opened:
        for row in opened.rows():
            opened.read(row)


def measure_nets(stages: list[Stage], codec: Codec, *, threads: int) -> tuple[float, list[NetSpeed]]:
    """Return the peak in 10^9 operations a second, and both nets against it."""
    peak, mps = matmul_gflops(threads), {stage.name: stage.mps for stage in stages}
    network, scale = codec.model.network, codec.model.arch.scale
    nets = []
    for name, net, grows in (("ComCNN", network.com, 1), ("RecCNN", network.rec, scale)):
        kmacs = macs_of(net, network.arch.unit * 4 // grows) / grows**2 / 1e3
        gflops = 2 * kmacs * mps[name]
        nets.append(NetSpeed(name=name, mps=mps[name], kmacs=kmacs, gflops=gflops, share=gflops / peak))
    return peak, nets


def macs_of(net: nn.Module, side: int) -> float:
    """Multiplications of a network's convolutions for each input pixel, counted on a square of that side."""
    total = [0]

    def count(module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        weight: torch.Tensor = module.weight  # type: ignore[assignment]
        total[0] += weight[0].numel() * output.numel()

    device = next(net.parameters()).device
    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d)]
    try:
        with torch.inference_mode():
            net(torch.zeros(1, 3, side, side, device=device), torch.zeros(1, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return total[0] / side**2


def measure_hyperprior(device: torch.device, *, threads: int, runs: int = 3) -> NetSpeed:
    """Time the synthesis transform on the same device: torch's threads in one picture, or a picture a thread."""
    net, latents = synthesis().to(device), HYPERPRIOR_SIDE // STRIDE
    x = torch.rand(1, M, latents, latents, device=device).contiguous(memory_format=torch.channels_last)

    def work() -> None:
        with torch.inference_mode():
            net(x)[0, 0, 0, 0].item()

    def alone() -> None:
        torch.set_num_threads(1)
        work()

    with torch_threads(threads):
        seconds = median_seconds(work, runs)
        if device.type == "cpu" and threads > 1:
            seconds = min(seconds, median_seconds(in_parallel(alone, threads), runs) / threads)
    mps = HYPERPRIOR_SIDE**2 / 1e6 / seconds
    kmacs = macs_per_pixel() / 1e3
    return NetSpeed(name="hyperprior synthesis", mps=mps, kmacs=kmacs, gflops=2 * kmacs * mps, share=math.nan)
