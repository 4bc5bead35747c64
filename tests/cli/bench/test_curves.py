"""`bench curves`, as it is typed."""

from __future__ import annotations

import json
import re
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
    assert json.loads(Path("a.json").read_text())["rivals"] == [f"batchcomp {tiny_model.stem}", "jpeg"]
    assert Path("a.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"published": Path("p.json")}, "--published: goes with --plot or --html"),
        ({"packed": False, "effort": 3}, "leave --no-packed out"),
        ({"plot": Path("a.gif")}, r"ends in \.png or \.svg"),
        ({"plot": Path("a.png"), "published": Path("missing.json")}, "missing.json: published curves expected"),
    ],
    ids=["published without plot", "effort without packing", "a plot of another kind", "no published curves"],
)
def test_what_would_be_ignored_is_refused(options: dict[str, object], said: str) -> None:
    """An option that another one makes pointless, and a file that cannot be used, are errors before the measuring."""
    usual = {"plot": None, "html": None, "published": None, "packed": True, "effort": None}
    with pytest.raises(UsageError, match=said):
        check_combination(**usual | options)  # type: ignore[arg-type]


def test_effort_needs_the_packer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without constriction there is no packed curve for it."""
    monkeypatch.setattr("batchcomp.cli.bench.curves.find_spec", lambda _: None)
    with pytest.raises(UsageError, match="pip install constriction"):
        check_combination(plot=None, html=None, published=None, packed=True, effort=3)


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


def test_a_page_is_made_of_a_run_and_of_its_file_alike(run: Run, tmp_path: Path, tiny_model: Path) -> None:
    """With pictures at the same bytes; an earlier run's file makes the same tables and curves without measuring."""
    samples.save(tmp_path / "in" / "a.png", samples.image(176, 180))
    options = ("--guards", "1.5", "--no-packed", "--jobs", 1, "--device", "cpu", "--model", tiny_model)
    first = run(
        "bench", "curves", "in", "--rivals", "jpeg", "--json", "a.json", "--html", "a.html", "--crops", 1, *options
    )
    assert (first.code, first.err) == (0, "")
    page = Path("a.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 3
    assert "Compression against speed" in page
    again = run("bench", "curves", "--from", "a.json", "--html", "b.html", "--model", tiny_model)
    assert (again.code, again.out) == (0, first.out.replace("a.html", "b.html").replace(*_sizes(first.out, again.out)))
    assert Path("b.html").read_text(encoding="utf-8").count("<figure>") == 0


def test_several_files_are_shown_as_one(run: Run, tmp_path: Path, tiny_model: Path) -> None:
    """Of the same pictures, with speeds beside their bytes; other pictures are refused."""
    samples.save(tmp_path / "in" / "a.png", samples.image(176, 180))
    other = tmp_path / "other.safetensors"
    other.write_bytes(tiny_model.read_bytes())
    options = ("--rivals", "jpeg", "--guards", "none", "--no-packed", "--jobs", 1, "--device", "cpu")
    assert run("bench", "curves", "in", "--json", "a.json", "--model", tiny_model, *options).code == 0
    assert run("bench", "curves", "in", "--json", "b.json", "--model", other, "--no-speed", *options).code == 0
    found = run("bench", "curves", "--from", "a.json", "--from", "b.json", "--json", "c.json", "--model", tiny_model)
    assert (found.code, found.err) == (0, "")
    first = f"batchcomp {tiny_model.stem}"
    assert json.loads(Path("c.json").read_text())["rivals"] == [first, "batchcomp other", "jpeg"]
    assert "Compression against speed" in found.out
    assert f"{first}, not measured" in found.out
    (tmp_path / "in" / "a.png").rename(tmp_path / "in" / "b.png")
    assert run("bench", "curves", "in", "--json", "d.json", "--model", other, "--no-speed", *options).code == 0
    refused = run("bench", "curves", "--from", "a.json", "--from", "d.json", "--model", tiny_model)
    assert (refused.code, "d.json: of other pictures than a.json" in refused.err) == (2, True)


def _sizes(one: str, other: str) -> tuple[str, str]:
    """The bytes of the two pages, which have other pictures in them."""
    return tuple(re.findall(r"html: (.*?);", text)[0] for text in (one, other))  # type: ignore[return-value]


def test_without_pictures_or_a_file_there_is_nothing_to_do(run: Run, tmp_path: Path) -> None:
    """And a file that is none is told in one line."""
    assert run("bench", "curves").code == 2
    (tmp_path / "x.json").write_text("[]")
    found = run("bench", "curves", "--from", "x.json")
    assert (found.code, "x.json: no points of a benchmark" in found.err) == (2, True)
    found = run("bench", "speed", "--from", "x.json", "--html", "x.html")
    assert (found.code, "no report of bench speed" in found.err) == (2, True)
