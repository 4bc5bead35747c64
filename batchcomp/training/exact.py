"""From float networks to exact ones: channels made alike, then the grids that convolutions' inputs are rounded to.

One grid serves all channels of a convolution's input, so that those that carry little are rounded the most. What a
channel carries can be scaled where it is made and back where it is used, and nothing changes but the rounding:
Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", arXiv 1906.04721.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.exact import ExactConv2d, rounded
from batchcomp.codec.networks.residual import ResidualBlock, ResidualNetwork, Trunk
from batchcomp.training.grow import begin_with
from batchcomp.training.jpeg_proxy import jpeg

HEAD = "trunk.head"  # sees pixels, whose grid is given
WITHIN = 0.9999  # share of a channel's values that its reach holds
EXPONENTS = range(-2, 14)  # of the grids
MAX_VALUES = 2**15  # of one channel and batch that are looked at
LEAST = 2.0**-10  # a channel's reach, of the largest: what carries less is not scaled up any further
EVENNESS = 0.5  # power of the reaches that channels are scaled by: 1 makes activations alike, 0 leaves weights alone

Reaches = dict[str, Tensor]  # of every input channel (C,), by the convolution's name in RecCNN
Batches = Iterable[tuple[Tensor, Tensor]]  # photos (B, 3, H, W) in [0, 1], sides multiples of 16; coarsenesses (B,)


def is_exact(network: CodecNetwork) -> bool:
    """Whether its RecCNN computes in whole numbers."""
    return any(isinstance(module, ExactConv2d) for module in network.rec.modules())


def begin(network: CodecNetwork, start: CodecNetwork, examples: Callable[[], Batches]) -> None:
    """Let networks start where trained ones ended, see `grow`; float ones become exact with the least rounding.

    Args:
        network: changed in place.
        start: the trained ones.
        examples: gives what is looked at where an exact network begins with a float one.

    Raises:
        TrainingError: one cannot become the other.
    """
    becoming = is_exact(network) and not is_exact(start)
    if becoming and isinstance(start, ResidualNetwork):
        start = copy.deepcopy(start)
        equalise(start.rec.trunk, reaches(start, examples()))
    begin_with(network, start)
    if becoming:
        fit_grids(network, start, examples())
        correct_means(network, start, examples)


def reaches(network: CodecNetwork, batches: Batches) -> Reaches:
    """What the convolutions of RecCNN see at most in each channel, but for one value in ten thousand."""
    largest: Reaches = {}

    def note(name: str, values: Tensor) -> None:
        values = values.abs().transpose(0, 1).flatten(1)  # (C, pixels)
        values = values[:, :: -(-values.shape[1] // MAX_VALUES)]
        reach = torch.quantile(values, WITHIN, dim=1)
        largest[name] = torch.maximum(largest[name], reach) if name in largest else reach

    _watch(network, batches, note)
    return largest


@torch.no_grad()
def equalise(trunk: Trunk, seen: Reaches) -> None:
    """Scale the channels of a float trunk so that they reach more alike; what it computes stays the same.

    Args:
        trunk: changed in place.
        seen: what its convolutions see, by `reaches`, under the names that they have in RecCNN.
    """
    body = _blocks_of(trunk.body)
    names = [f"trunk.body.{number}" for number in range(len(body))]
    _equalise_hidden(body, names, seen)
    users = [block.first for block in body] + [trunk.tail]
    makers = [trunk.head] + [block.second for block in body]
    reach = _most([seen[f"{name}.first"] for name in names] + [seen["trunk.tail"]])
    if trunk.middle is not None:
        middle, blocks = trunk.middle, _blocks_of(trunk.middle.body)
        within = [f"trunk.middle.body.{number}" for number in range(len(blocks))]
        _equalise_hidden(blocks, within, seen)
        _scale(
            [middle.down] + [block.second for block in blocks],
            [block.first for block in blocks] + [middle.up],
            _evened(_most([seen[f"{name}.first"] for name in within] + [seen["trunk.middle.up"]])),
        )
        reach = _most([reach, seen["trunk.middle.down"].view(len(reach), 4).amax(dim=1)])
        fours = _evened(reach).repeat_interleave(4)  # pixel-unshuffle by 2 keeps a channel's four together
        _scale([middle.up], [middle.down], fours)
    _scale(makers, users, _evened(reach))


def _blocks_of(body: nn.ModuleList) -> list[ResidualBlock]:
    return [block for block in body if isinstance(block, ResidualBlock)]


def _equalise_hidden(blocks: Sequence[ResidualBlock], names: Sequence[str], seen: Reaches) -> None:
    """The channels between the two convolutions of residual blocks: ReLU and gains are linear in what is positive."""
    for block, name in zip(blocks, names, strict=True):
        _scale([block.first], [block.second], _evened(seen[f"{name}.second"]))


def _scale(makers: Sequence[nn.Conv2d], users: Sequence[nn.Conv2d], factors: Tensor) -> None:
    """Multiply channels where they are made and divide them where they are used."""
    for conv in makers:
        conv.weight.mul_(factors.view(-1, 1, 1, 1))
        if conv.bias is not None:
            conv.bias.mul_(factors)
    for conv in users:
        conv.weight.div_(factors.view(1, -1, 1, 1))


def _evened(reach: Tensor) -> Tensor:
    """Factors (C,) that bring channels of these reaches closer together."""
    reach = reach.clamp_min(float(reach.max()) * LEAST).clamp_min(1e-30)
    return (reach.log().mean().exp() / reach) ** EVENNESS


def _most(several: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(several)).amax(dim=0)


@torch.no_grad()
def fit_grids(exact: CodecNetwork, floating: CodecNetwork, batches: Batches) -> None:
    """Set the grids of an exact network: those that round what the convolutions see with the least squared error.

    Args:
        exact: changed in place.
        floating: the float network whose weights it has.
        batches: what that one is shown.
    """
    limits = {name: conv.grid.limit for name, conv in exact.rec.named_modules() if isinstance(conv, ExactConv2d)}
    errors = {name: torch.zeros(len(EXPONENTS)) for name in limits}

    def note(name: str, values: Tensor) -> None:
        for number, exponent in enumerate(EXPONENTS):
            steps = values.new_full((), 2.0**exponent)
            errors[name][number] += float((rounded(values, steps, limits[name]) - values).square().sum())

    _watch(floating, batches, note)
    for name, conv in exact.rec.named_modules():
        if isinstance(conv, ExactConv2d) and name != HEAD:
            conv.grid.exponent.fill_(EXPONENTS[int(errors[name].argmin())])


@torch.no_grad()
def correct_means(exact: CodecNetwork, floating: CodecNetwork, examples: Callable[[], Batches]) -> None:
    """Set the biases of an exact network so that rounding changes the mean of no channel.

    Nagel et al. 2019, section 4.2; one convolution after the other, since each moves what the next ones see.

    Args:
        exact: changed in place.
        floating: the float network whose weights it has.
        examples: gives what both are shown.
    """
    convs = dict(exact.rec.named_modules())
    wanted = _means(floating, examples())
    for name, mean in wanted.items():
        bias = convs[name].bias
        if isinstance(bias, Tensor):
            bias.add_(mean - _means(exact, examples())[name])


def _means(network: CodecNetwork, batches: Batches) -> dict[str, Tensor]:
    """The mean (C,) of what each convolution of RecCNN makes, in the order in which they run."""
    sums: dict[str, Tensor] = {}

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def note(_module: nn.Module, _inputs: tuple[Tensor, ...], made: Tensor) -> None:
            sums[name] = sums.get(name, 0) + made.double().mean(dim=(0, 2, 3))

        return note

    count = _shown(network, batches, lambda name, conv: conv.register_forward_hook(hook(name)))
    return {name: (total / count).float() for name, total in sums.items()}


def _watch(network: CodecNetwork, batches: Batches, note: Callable[[str, Tensor], None]) -> None:
    """Show a network some photos; `note` gets the name and the input (B, C, h, w) of each convolution of RecCNN."""

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda _module, inputs: note(name, inputs[0])

    _shown(network, batches, lambda name, conv: conv.register_forward_pre_hook(hook(name)))


@torch.no_grad()
def _shown(network: CodecNetwork, batches: Batches, hooked: Callable[[str, nn.Conv2d], RemovableHandle]) -> int:
    """Show a network some photos, its convolutions hooked; return how many batches there were."""
    hooks = [hooked(name, module) for name, module in network.rec.named_modules() if isinstance(module, nn.Conv2d)]
    count = 0
    try:
        for x, coarseness in batches:
            log_coarseness = torch.log2(coarseness)
            decoded, _ = jpeg(network.com(x, log_coarseness), network.log_tables_at(coarseness))
            network.rec(decoded, log_coarseness)
            count += 1
    finally:
        for one in hooks:
            one.remove()
    return count
