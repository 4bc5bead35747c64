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
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from batchcomp.codec import weights
from batchcomp.codec.networks import untrained
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.exact import ExactConv2d, Grid
from batchcomp.codec.networks.shape import NetworkShape
from batchcomp.codec.tables import FINEST, MAX_NETWORK_QUALITY, quality_to_coarseness
from batchcomp.codec.whole_numbers import MAX_EXPONENT, SUM_LIMIT
from batchcomp.metrics.objective import PHASES
from batchcomp.training import losses
from batchcomp.training.checkpoint import write_atomically
from batchcomp.training.device_crops import CROP, DevicePhotos, crops
from batchcomp.training.grow import grow
from batchcomp.training.jpeg_proxy import jpeg
from batchcomp.training.losses import Coded, mixed_loss
from batchcomp.training.shapes import RECIPES

LOG_SECONDS, SAVE_SECONDS = 20.0, 100.0
FLAT, LAST = 0.4, 0.01  # of the training until the rate falls, and where to
WARM_UP = 500  # steps
MOMENTUM = 0.9995  # of the running average of the weights


def weight_scale(conv: ExactConv2d) -> Tensor:
    """`ExactConv2d.weight_scale` on the convolution's own device: a graph cannot wait for numpy."""
    limits, steps_in = conv.limits, conv.grid.steps
    flat, bias = conv.weight.detach().flatten(1).double(), conv.bias.detach().double()
    sums = flat.abs().sum(1) * limits.inputs + bias.abs() * steps_in
    room = torch.minimum(limits.weights / flat.abs().amax(1), SUM_LIMIT / sums)
    exponent = torch.frexp(room.clamp(2.0**-MAX_EXPONENT, 2.0**MAX_EXPONENT))[1] - 1
    steps = torch.pow(2.0, exponent.double())
    rounded = torch.round(flat * steps[:, None]).abs().sum(1) * limits.inputs
    too_much = rounded + torch.round(bias * steps * steps_in).abs() > SUM_LIMIT
    return torch.where(too_much, steps / 2, steps).to(conv.weight.dtype)


def keep_from_host(networks: list[CodecNetwork]) -> None:
    """Let exact convolutions compute their steps without the host; those of their grids do not change any more."""
    grids = [module for network in networks for module in network.modules() if isinstance(module, Grid)]
    known = {grid: grid.steps for grid in grids}
    Grid.steps = property(known.__getitem__)
    ExactConv2d.weight_scale = weight_scale


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
        keep_from_host([self.network, self.ema])
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
        x = crops(self.photos.pixels, self.ints, self.floats, self.at)
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
        return [
            torch.from_numpy(t).to(self.device) for t in self.photos.draw(self.args.chunk, self.args.batch, self.finest)
        ]

    def capture(self) -> None:
        """Record the step, after a few at a rate of 0 that make all that is made once."""
        table = self.table()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for i in range(min(4, self.args.chunk)):
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
        seed = zlib.crc32(repr((self.args.shape, self.args.span)).encode())
        self.photos = DevicePhotos(self.args.photos, self.device, seed)
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
            since += self.args.chunk
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
        for i in range(self.args.chunk):
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
    parser.add_argument("--chunk", type=int, default=50, help="steps between two looks at the clock")
    parser.add_argument("--floating", action="store_true")
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


def main() -> None:
    """Train."""
    options = arguments()
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True  # 11 bits: the whole numbers of exact networks fit
    torch.backends.cuda.matmul.allow_tf32 = False  # the metrics take differences of squares
    Trainer(options).train()


if __name__ == "__main__":
    main()
