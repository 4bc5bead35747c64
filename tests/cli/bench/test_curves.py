"""`bench curves`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchcomp.cli.bench.curves import check_combination, packed_curves, parse_rates
from batchcomp.codec.codec import Codec
from batchcomp.codec.tables import FINE_FROM
from batchcomp.errors import UsageError
from tests.cli import samples
from tests.cli.conftest import Run


def test_curves_are_measured_shown_and_written(run: Run, tmp_path: Path, tiny_model: Path) -> None:
    """The tables are on stdout, everything measured in the JSON file, the curves in the plot."""
    samples.save(tmp_path / "in" / "a.png", samples.image(176, 180))
    options = ("--rivals", "jpeg", "--guards", "none", "--no-speed", "--no-packed", "--jobs", 1, "--device", "cpu")
    result = run("bench", "curves", "in", "--json", "a.json", "--plot", "a.png", "--model", tiny_model, *options)
    assert (result.code, result.err) == (0, "")
    assert "BD-rate against JPEG" in result.out
    assert json.loads(Path("a.json").read_text())["rivals"] == ["batchcomp", "jpeg"]
    assert Path("a.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"published": Path("p.json")}, "--published: goes with --plot"),
        ({"packed": False, "effort": 3}, "leave --no-packed out"),
        ({"plot": Path("a.gif")}, r"ends in \.png or \.svg"),
        ({"plot": Path("a.png"), "published": Path("missing.json")}, "missing.json: published curves expected"),
    ],
    ids=["published without plot", "effort without packing", "a plot of another kind", "no published curves"],
)
def test_what_would_be_ignored_is_refused(options: dict[str, object], said: str) -> None:
    """An option that another one makes pointless, and a file that cannot be used, are errors before the measuring."""
    usual = {"plot": None, "published": None, "packed": True, "effort": None}
    with pytest.raises(UsageError, match=said):
        check_combination(**usual | options)  # type: ignore[arg-type]


def test_effort_needs_the_packer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without constriction there is no packed curve for it."""
    monkeypatch.setattr("batchcomp.cli.bench.curves.find_spec", lambda _: None)
    with pytest.raises(UsageError, match="pip install constriction"):
        check_combination(plot=None, published=None, packed=True, effort=3)


def test_guards_are_numbers_or_none() -> None:
    """Rates are separated by commas; anything else is a usage error that shows what was typed."""
    assert parse_rates(".2,0.5") == (0.2, 0.5)
    assert parse_rates("none") == ()
    with pytest.raises(UsageError, match="--guards 'many'"):
        parse_rates("many")


def test_effort_has_a_curve_of_its_own() -> None:
    """Beside the packed one, at fewer qualities that reach as far, under a name that says how it was made."""
    usual, slow = packed_curves(Codec.open(None, device="cpu"), 3)
    assert (usual.name, usual.effort) == ("batchcomp --pack", 0)
    assert (slow.name, slow.effort) == ("batchcomp --pack --effort 3", 3)
    assert slow.qualities[0] == usual.qualities[0]
    assert FINE_FROM - 1 < slow.qualities[-1] < FINE_FROM  # the finest that half size has
