"""Joint training on a GPU, one CUDA graph a step.

    python tools/train_on_gpu.py PHOTOS [PHOTOS ...] --run RUN --shape SHAPE --start MODEL --seconds 600
        [--span 0 .5] [--floating] [--batch 16] [--rate 6e-4] [--device cuda]

The objective, the dev split and the recipes are those of `batchcomp train joint`; crops are cut on the device, out of
photos that were shrunk once, four ways each. The learning rate follows the clock: flat, then falling to 1 %. A training
that is cut into several calls names the part of it that each does (`--span`). RUN gets ema.safetensors, log.csv and
state.pt, which the next call goes on from. With `--floating` RecCNN learns in floating point; `tools/make_exact.py`
rounds it afterwards. Dev scores are not taken: `tools/eye.py` and `tools/phases.py` measure the model.
"""

from __future__ import annotations

import argparse
import io
import math
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from batchcomp.codec import weights
from batchcomp.codec.networks import exact as exact_nets
from batchcomp.codec.networks import untrained
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.shape import NetworkShape
from batchcomp.codec.tables import COARSEST, FINEST, MAX_NETWORK_QUALITY, quality_to_coarseness
from batchcomp.metrics import ms_ssim_torch
from batchcomp.metrics.objective import PHASES
from batchcomp.metrics.ssim_window import SCALE_WEIGHTS
from batchcomp.training import jpeg_proxy, losses
from batchcomp.training.checkpoint import write_atomically
from batchcomp.training.data import read_rgb, split_folders
from batchcomp.training.grow import grow
from batchcomp.training.jpeg_proxy import jpeg
from batchcomp.training.losses import Coded, mixed_loss
from batchcomp.training.shapes import RECIPES

CROP = 256


EDGED = 0.2  # share of crops that get an edge as scans have them
CHUNK, LOG_SECONDS, SAVE_SECONDS = 50, 20.0, 100.0
FLAT, LAST = 0.4, 0.01  # of the training until the rate falls, and where to
WARM_UP = 500  # steps
MOMENTUM = 0.9995  # of the running average of the weights

_constants: dict[tuple[str, torch.dtype, torch.device], Tensor] = {}


# What follows in place of parts of the package does the same without the host, which a graph cannot wait for.


def new_tensor(self: Tensor, data: Any, dtype: torch.dtype | None = None) -> Tensor:
    """`Tensor.new_tensor` of numbers that never change: made once."""
    key = (repr(data), dtype or self.dtype, self.device)
    if key not in _constants:
        _constants[key] = torch.tensor(data, dtype=key[1]).to(self.device)
    return _constants[key]


def combine(terms: Tensor) -> Tensor:
    """`ms_ssim_torch.combine`: the backward pass of `torch.prod` asks whether any factor is 0."""
    answer = torch.ones_like(terms[0])
    for term, weight in zip(terms.unbind(0), SCALE_WEIGHTS, strict=True):
        answer = answer * torch.relu(term) ** weight
    return answer


def integer_tables(log_tables: Tensor) -> Tensor:
    """`jpeg_proxy.integer_tables`."""
    tables = torch.exp(log_tables).view(-1, 2, 1, 64)
    tables = jpeg_proxy.round_through(tables.clamp(1, 255))
    return torch.cat([tables, tables[:, 1:]], dim=1)


def scale_of(conv: exact_nets.ExactConv2d) -> Tensor:
    """`whole_numbers.weight_steps` without numpy."""
    limits, steps_in = conv.limits, conv.grid.fixed
    flat, bias = conv.weight.detach().flatten(1).double(), conv.bias.detach().double()
    sums = flat.abs().sum(1) * limits.inputs + bias.abs() * steps_in
    room = torch.minimum(limits.weights / flat.abs().amax(1), exact_nets.SUM_LIMIT / sums).clamp(2.0**-24, 2.0**24)
    exponent = torch.frexp(room)[1] - 1
    steps = torch.pow(2.0, exponent.double())
    rounded = torch.round(flat * steps[:, None]).abs().sum(1) * limits.inputs
    too_much = rounded + torch.round(bias * steps * steps_in).abs() > exact_nets.SUM_LIMIT
    return torch.where(too_much, steps / 2, steps).to(conv.weight.dtype)


def grid_forward(self: exact_nets.Grid, x: Tensor) -> Tensor:
    """`Grid.forward` with steps that are known."""
    return exact_nets.rounded(x, x.new_tensor(self.fixed), self.limit, away=self.limit == exact_nets.BYTES.inputs)


def whole(self: exact_nets.ExactConv2d) -> tuple[Tensor, Tensor]:
    """`ExactConv2d.whole` likewise."""
    scale = scale_of(self)
    weight = exact_nets.rounded(self.weight, scale.view(-1, 1, 1, 1), self.limits.weights)
    return weight, exact_nets.rounded(self.bias, scale * self.grid.fixed, exact_nets.SUM_LIMIT)


def patch() -> None:
    """Put all of that in place, for this process."""
    torch.Tensor.new_tensor = new_tensor
    ms_ssim_torch.combine = combine
    jpeg_proxy.integer_tables = integer_tables
    exact_nets.ExactConv2d.whole = whole
    exact_nets.Grid.forward = grid_forward


def versions_of(path: Path, seed: int) -> list[np.ndarray]:
    """A photo and four smaller ones, (H, W, 3) uint8: shrinking hides the source's own JPEG artefacts."""
    rng = np.random.default_rng((7, seed))
    photo = read_rgb(path)
    smallest = min(1.0, max(0.4, CROP / min(photo.size)))
    answer = [np.asarray(photo)]
    for part in range(4):
        factor = smallest + (1 - smallest) * (part + rng.random()) / 4
        size = tuple(max(CROP, round(side * factor)) for side in photo.size)
        answer.append(np.asarray(photo.resize(size, Image.Resampling.BICUBIC, reducing_gap=None)))
    return answer


class Pool:
    """All photos on the device, and which crops of them the next steps see."""

    def __init__(self, folders: list[Path], device: torch.device, seed: int) -> None:
        paths = [photo for _, split in split_folders(folders, crop=CROP) for photo in split.train]
        with ThreadPoolExecutor(16) as threads:
            found = list(threads.map(versions_of, paths, range(len(paths))))
        shapes = np.array([[v.shape[:2] for v in photo] for photo in found])  # (photos, 5, 2)
        sizes = shapes.prod(-1)
        self.offsets = (np.cumsum(sizes.ravel()) - sizes.ravel()).reshape(sizes.shape)
        self.shapes, self.count = shapes, len(paths)
        self.pixels = torch.empty(int(sizes.sum()), 3, dtype=torch.uint8, device=device)
        for photo, offsets in zip(found, self.offsets, strict=True):
            for version, offset in zip(photo, offsets, strict=True):
                flat = torch.from_numpy(np.array(version.reshape(-1, 3)))
                self.pixels[int(offset) : int(offset) + len(flat)] = flat.to(device)
        self.rng = np.random.default_rng(seed)

    def draw(self, steps: int, batch: int, finest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What `crops` takes, (steps, batch, 6) int64 and (steps, batch, 5) float32, and phases (steps, 2) int64."""
        rng, n = self.rng, (steps, batch)
        photo = rng.integers(0, self.count, n)
        version = np.where(rng.random(n) < 0.6, rng.integers(1, 5, n), 0)
        shape = self.shapes[photo, version]
        top, left = ((rng.random(n) * (shape[..., i] - CROP + 1)).astype(np.int64) for i in (0, 1))
        side = np.where(rng.random(n) < EDGED, rng.integers(0, 4, n), 4)
        ints = np.stack([self.offsets[photo, version], shape[..., 1], top, left, rng.random(n) < 0.5, side], -1)
        low, high = math.log(finest), math.log(COARSEST)
        coarseness = np.exp(low + (high - low) * (np.arange(batch) + rng.random(n)) / batch)
        tone = np.choose(rng.choice(3, n, p=(0.6, 0.15, 0.25)), [0, 255, rng.integers(0, 256, n)])
        over = np.where(rng.random(n) < 0.6, rng.uniform(-0.1, 1.2, n), 0.0)
        floats = np.stack([coarseness, 1 + (rng.random(n) < 0.3), tone, over, rng.uniform(0, 6, n)], -1)
        phases = rng.integers(0, PHASES, (steps, 2))
        return ints.astype(np.int64), floats.astype(np.float32), phases.astype(np.int64)


def crops(pixels: Tensor, ints: Tensor, floats: Tensor, at: Tensor) -> Tensor:
    """Crops (B, 3, 256, 256) in [0, 1], some with an edge as `data.scanned_edge` makes them.

    Args:
        pixels: all photos, (P, 3) uint8.
        ints: (B, 6): where a photo begins, its width, top and left of the crop, whether flipped, the side of the edge.
        floats: (B, 5): coarseness; of the edge its width, tone, the overshoot beside it, its noise.
        at: 0 to 255.
    """
    offset, stride, top, left, flip, side = ints.unbind(-1)
    rows = top[:, None] + at
    columns = left[:, None] + torch.where(flip[:, None] > 0, CROP - 1 - at, at)
    index = offset[:, None, None] + rows[:, :, None] * stride[:, None, None] + columns[:, None, :]
    x = pixels.index_select(0, index.flatten()).view(-1, CROP, CROP, 3).permute(0, 3, 1, 2).float()
    _, width, tone, over, sigma = (f.view(-1, 1, 1, 1) for f in floats.unbind(-1))
    s = side.view(-1, 1, 1)
    row, column = at.view(1, -1, 1), at.view(1, 1, -1)
    far = CROP - 1
    distance = torch.where(s == 0, row, torch.where(s == 1, far - row, torch.where(s == 2, column, far - column)))
    distance = torch.where(s == 4, CROP, distance)[:, None].float()
    line = (tone + sigma * torch.randn_like(x)).clamp(0, 255).round()
    next_to = (x + over * (x - tone)).clamp(0, 255).round()
    x = torch.where(distance < width, line, torch.where(distance == width, next_to, x))
    return x / 255


def begun(path: Path, arch: NetworkShape) -> CodecNetwork:
    """Networks of an architecture with the weights of a file, grown where that is smaller."""
    source, network = weights.load_file(path).network, untrained(arch)
    if source.arch == arch:
        network.load_state_dict(source.state_dict())
    else:
        grow(network, source)
    return network


class Trainer:
    """The nets, their running average, the optimiser and the graph of a step."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.device = args, torch.device(args.device)
        recipe = RECIPES[args.shape]
        arch = replace(recipe.architecture, exact=not args.floating)
        self.loss = recipe.settings.get("loss", losses.LossWeights())
        self.finest = FINEST if arch.scale == 1 else quality_to_coarseness(MAX_NETWORK_QUALITY)
        self.table_gain = recipe.settings.get("table_gain", 5.0)
        network = begun(args.start, arch)
        ema = untrained(arch)
        ema.load_state_dict(network.state_dict())
        self.network, self.ema = network.placed(self.device), ema.placed(self.device)
        for net in (self.network, self.ema):
            for module in net.modules():
                if isinstance(module, exact_nets.Grid):
                    module.fixed = float(2.0 ** round(float(module.exponent)))
        self.ema.requires_grad_(requires_grad=False)
        named = [(n, p) for n, p in self.network.named_parameters() if self.table_gain or not n.startswith("log_")]
        self.params = [p for _, p in named]
        self.rates = [torch.tensor(0.0, device=self.device) for _ in range(2)]
        nets = [p for n, p in named if not n.startswith("log_")]
        tables = [p for n, p in named if n.startswith("log_")]
        groups = [{"params": nets, "lr": self.rates[0]}] + ([{"params": tables, "lr": self.rates[1]}] if tables else [])
        on_gpu = self.device.type == "cuda"
        self.optimiser = torch.optim.Adam(groups, capturable=on_gpu, fused=True if on_gpu else None)
        for p in self.params:
            p.grad = torch.zeros_like(p)
        self.pairs = [(e, p) for e, p in zip(self.ema.parameters(), self.network.parameters(), strict=True)]
        batch = args.batch
        self.ints = torch.zeros(batch, 6, dtype=torch.int64, device=self.device)
        self.floats = torch.ones(batch, 5, device=self.device)
        self.phase = torch.zeros(2, dtype=torch.int64, device=self.device)
        self.at = torch.arange(CROP, device=self.device)
        self.within = torch.arange(CROP - PHASES, device=self.device)
        self.sums = torch.zeros(5, device=self.device)
        losses.seen_at = self.seen_at
        self.steps, self.graph = 0, None

    def seen_at(self, pictures: Tensor, _phase: object) -> Tensor:
        """`objective.seen_at` at the step's phase, which the device holds."""
        rows, columns = self.phase[0] + self.within, self.phase[1] + self.within
        return pictures.index_select(2, rows).index_select(3, columns)

    def forward(self) -> losses.Losses:
        """The losses of the step's crops."""
        x = crops(self.pool.pixels, self.ints, self.floats, self.at)
        coarseness = self.floats[:, 0]
        log_coarseness = torch.log2(coarseness)
        compact = self.network.com(x, log_coarseness)
        decoded, bits = jpeg(compact, self.network.log_tables_at(coarseness))
        restored = self.network.rec(decoded, log_coarseness)
        coded = Coded(restored=restored, compact=compact, bits=bits, coarseness=coarseness)
        return mixed_loss(x, coded, self.loss)

    def step(self) -> None:
        """One step of Adam; a batch whose gradient is not finite counts for nothing."""
        found = self.forward()
        grads = torch.autograd.grad(found.total, self.params)
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in grads]))
        sound = torch.isfinite(norm)
        factor = torch.where(sound, (1.0 / (norm + 1e-6)).clamp(max=1.0), torch.zeros_like(norm))
        grads = [g.nan_to_num(0.0, 0.0, 0.0) for g in grads]
        torch._foreach_mul_(grads, factor)
        torch._foreach_copy_([p.grad for p in self.params], grads)
        self.optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_([e for e, _ in self.pairs], [p for _, p in self.pairs], 1 - MOMENTUM)
            values = torch.stack([found.total, found.one_minus_ms_ssim, found.mse, found.bpp, (~sound).float()])
            self.sums += values.detach().nan_to_num(0.0)

    def set(self, table: list[Tensor], i: int) -> None:
        """What step `i` of a chunk sees."""
        ints, floats, phases = table
        self.ints.copy_(ints[i])
        self.floats.copy_(floats[i])
        self.phase.copy_(phases[i])

    def table(self) -> list[Tensor]:
        """What the steps of the next chunk see."""
        return [torch.from_numpy(t).to(self.device) for t in self.pool.draw(CHUNK, self.args.batch, self.finest)]

    def capture(self) -> None:
        """Record the step, after a few at a rate of 0 that make all that is made once."""
        table = self.table()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for i in range(4):
                self.set(table, i)
                self.step()
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step()
        self.graph = graph

    def rate_at(self, progress: float) -> float:
        """Learning rate at a share of the training."""
        peak = float(self.args.rate) * min(1.0, (self.steps + 1) / WARM_UP)
        if progress < FLAT:
            return peak
        fall = 0.5 * (1 + math.cos(math.pi * (progress - FLAT) / (1 - FLAT)))
        return peak * (LAST + (1 - LAST) * fall)

    def load(self) -> None:
        """Go on from the run's state, if there is one."""
        path = self.args.run / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.ema.load_state_dict(state["ema"])
        if "optimiser" in state:
            self.optimiser.load_state_dict(state["optimiser"])
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=False):
            group["lr"] = rate
        self.steps = state["steps"]

    def save(self) -> None:
        """Write the state and the model."""
        state = {
            "network": self.network.state_dict(),
            "ema": self.ema.state_dict(),
            "steps": self.steps,
            "optimiser": self.optimiser.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(self.args.run / "state.pt", buffer.getvalue())
        write_atomically(self.args.run / "ema.safetensors", weights.to_bytes(self.ema))

    def train(self) -> None:
        """Until the time is over."""
        began = time.monotonic()
        self.args.run.mkdir(parents=True, exist_ok=True)
        self.pool = Pool(self.args.photos, self.device, zlib.crc32(repr((self.args.shape, self.args.span)).encode()))
        self.load()
        if self.device.type == "cuda":
            self.capture()
        self.sums.zero_()
        started = logged = saved = time.monotonic()
        window, since = self.args.seconds - (started - began), 0
        first, last = self.args.span
        while (elapsed := time.monotonic() - started) < window or not since:
            progress = first + (last - first) * min(1.0, elapsed / max(window, 1e-9))
            self.chunk(progress)
            since += CHUNK
            now = time.monotonic()
            if now - logged > LOG_SECONDS:
                self.report(progress, since, since / (now - logged))
                logged, since = now, 0
            if now - saved > SAVE_SECONDS:
                self.save()
                saved = now
        self.save()

    def chunk(self, progress: float) -> None:
        """Some steps."""
        table = self.table()
        for i in range(CHUNK):
            rate = self.rate_at(progress)
            self.rates[0].fill_(rate)
            self.rates[1].fill_(rate * self.table_gain)
            self.set(table, i)
            if self.graph:
                self.graph.replay()
            else:
                self.step()
            self.steps += 1
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def report(self, progress: float, since: int, pace: float) -> None:
        """A line of the means of the last steps, there and in log.csv."""
        means = [round(value, 6) for value in (self.sums / since).tolist()]
        self.sums.zero_()
        row = ",".join(map(str, [self.steps, round(progress, 4), self.rate_at(progress), *means]))
        sys.stdout.write(f"{row} ({pace:.1f} steps a second)\n")
        sys.stdout.flush()
        with (self.args.run / "log.csv").open("a", encoding="utf-8") as log:
            log.write(row + "\n")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--shape", choices=sorted(RECIPES), required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--span", type=float, nargs=2, default=(0.0, 1.0))
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--floating", action="store_true")
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


def main() -> None:
    """Train."""
    options = arguments()
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True  # 11 bits: the whole numbers of exact networks fit
    torch.backends.cuda.matmul.allow_tf32 = False  # the metrics take differences of squares
    patch()
    Trainer(options).train()


if __name__ == "__main__":
    main()
