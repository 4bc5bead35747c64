"""The registry of network families."""

from __future__ import annotations

import pytest

from batchcomp.codec import weights
from batchcomp.codec.bicubic import BicubicNetwork
from batchcomp.codec.networks import FAMILIES, name_of, networks_of, untrained


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_found_by_its_name_and_knows_it(name: str) -> None:
    """The class that the table names builds networks of the usual shape, whose file brings them back."""
    family = networks_of(name)
    network = family(family.shape())
    assert name_of(network) == name
    again = weights.from_bytes(weights.to_bytes(network), "x").network
    assert type(again) is family
    assert again.arch == network.arch


def test_networks_without_weights_have_no_family() -> None:
    """Bicubic resampling is no model that a file could hold."""
    with pytest.raises(ValueError, match="BicubicNetwork is no family"):
        name_of(BicubicNetwork())


@pytest.mark.parametrize("name", FAMILIES)
def test_an_architecture_is_enough_to_build_networks(name: str) -> None:
    """Training builds networks of whichever family its settings name."""
    family = networks_of(name)
    assert type(untrained(family.shape())) is family


def test_an_architecture_of_no_family_builds_none() -> None:
    """It is named."""
    with pytest.raises(ValueError, match="of no family"):
        untrained(BicubicNetwork().arch)
