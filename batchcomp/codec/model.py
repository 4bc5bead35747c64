"""A model in memory: its architecture and its numbers. Torch builds networks of them only where it has to run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.networks import name_of, networks_of
from batchcomp.codec.networks.shape import NetworkShape
from batchcomp.codec.tables import tables_at

if TYPE_CHECKING:
    from torch import nn

    from batchcomp.codec.networks.base import CodecNetwork

Arrays = Mapping[str, NDArray[np.float32]]
COM: Final = "com"
REC: Final = "rec"


@dataclass(frozen=True, kw_only=True)
class Model:
    """What a model file holds, with the hash that archives name it by.

    Attributes:
        family: its name in `FAMILIES`; "" where only torch's networks are there.
        arch: the architecture.
        arrays: float32 by name, as `arch.tensors` has them.
        sha256: of the file.
        name: of the file, for messages.
    """

    family: str
    arch: NetworkShape
    arrays: Arrays
    sha256: str
    name: str

    @classmethod
    def of(cls, network: CodecNetwork, *, sha256: str, name: str, family: str | None = None) -> Self:
        """The model of networks that torch has."""
        arrays = {key: value.detach().cpu().float().numpy() for key, value in network.state_dict().items()}
        family = name_of(network) if family is None else family
        model = cls(family=family, arch=network.arch, arrays=arrays, sha256=sha256, name=name)
        vars(model)["network"] = network
        return model

    @cached_property
    def network(self) -> CodecNetwork:
        """The networks in torch, for use: without gradients."""
        import torch  # noqa: PLC0415  (only where torch computes)

        built = networks_of(self.family)(self.arch)
        built.load_state_dict({key: torch.from_numpy(value) for key, value in self.arrays.items()})
        return built.eval().requires_grad_(requires_grad=False)

    @cached_property
    def com(self) -> Net:
        """ComCNN."""
        return Net(model=self, role=COM)

    @cached_property
    def rec(self) -> Net:
        """RecCNN."""
        return Net(model=self, role=REC)

    def tables_at(self, coarseness: float) -> NDArray[np.int64]:
        """Whole-number tables (2, 8, 8) in 1..255, as a baseline JPEG stores them, at a coarseness."""
        return tables_at(self.arrays["log_tables"], coarseness, self.arrays.get("log_slopes"))


@dataclass(frozen=True, kw_only=True)
class Net:
    """One of a model's two networks."""

    model: Model
    role: Literal["com", "rec"]

    @property
    def module(self) -> nn.Module:
        """The network in torch."""
        return self.model.network.com if self.role == COM else self.model.network.rec

    @property
    def bytes_per_pixel(self) -> float:
        """Bytes, in float32, of the largest output of a convolution for each input pixel."""
        arch = self.model.arch
        return arch.com_bytes if self.role == COM else arch.rec_bytes

    @property
    def exact(self) -> bool:
        """Whether it gives the same pixels on every machine; see `networks.exact`."""
        return self.role == REC and bool(getattr(self.model.arch, "exact", False))

    def array(self, name: str) -> NDArray[np.float32]:
        """One of its tensors by its name within the network, such as `trunk.head.weight`."""
        return self.model.arrays[f"{self.role}.{name}"]
