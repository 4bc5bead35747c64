"""What an architecture of the residual family says of its nets."""

from __future__ import annotations

import pytest

from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from tests.codec.networks.test_residual import MIDDLE, PLAIN


@pytest.mark.parametrize("arch", [PLAIN, MIDDLE, ResidualArchitecture(), ResidualArchitecture(scale=1, unshuffle=2)])
def test_an_architecture_counts_its_parameters(arch: ResidualArchitecture) -> None:
    """The loader trusts this count before it builds anything."""
    assert arch.parameters == sum(value.numel() for value in ResidualNetwork(arch).parameters())


@pytest.mark.parametrize(
    "bad", [{"gains": 1}, {"phases": 1}, {"mid_width": -1}, {"rec_mid_blocks": 99}, {"unshuffle": 3}]
)
def test_a_forged_architecture_is_refused(bad: dict[str, int]) -> None:
    """Numbers that build no network are a ValueError, before memory is spent."""
    with pytest.raises(ValueError, match=r"expected|at most"):
        ResidualArchitecture(**bad)  # type: ignore[arg-type]
