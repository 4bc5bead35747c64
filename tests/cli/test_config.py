"""`batchcomp.toml`: defaults of options, derived from the commands themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from batchcomp.archive import ArchiveReader
from batchcomp.cli.app import app
from batchcomp.cli.config import commands_of, keys_of
from tests.cli import samples
from tests.cli.conftest import Run

Write = Any


@pytest.fixture
def config(config_folder: Path) -> Write:
    """Write the user's configuration file and return its path."""

    def write(text: str) -> Path:
        path = config_folder / "batchcomp" / "batchcomp.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def commands() -> dict[str, Any]:
    """Every command by the name of its section."""
    return commands_of(typer.main.get_command(app))


def quality_of(archive: str) -> int:
    (row,) = ArchiveReader.open(Path(archive)).rows()
    return row.quality


def test_the_users_file_is_read(compress: Run, config: Write) -> None:
    """Values of the file are defaults: numbers, texts, lists and both forms of a switch."""
    samples.save(Path("in/a.png"), samples.image(90, 90))
    samples.save(Path("in/b.png"))
    config('[compress]\nquality = 31\noutput = "kept.bca"\nexclude = ["b.*"]\nno-measure = true\n')
    assert compress("in").code == 0
    (row,) = ArchiveReader.open(Path("kept.bca")).rows()
    assert (row.path, row.quality, row.ms_ssim) == ("a.png", 31, None)
    config("[compress]\nmeasure = 'none'\nexclude = 'a.*'\n")
    assert compress("in").code == 0
    (row,) = ArchiveReader.open(Path("in.bca")).rows()
    assert (row.path, row.ms_ssim) == ("b.png", None)


def test_the_command_line_wins(compress: Run, config: Write) -> None:
    """What stands on the command line replaces what the file says, lists as a whole."""
    samples.save(Path("in/a.png"), samples.image(90, 90))
    config("[compress]\nquality = 31\nexclude = ['a.*']\nmeasure = 'none'\n")
    assert compress("in", "-q", 17, "--exclude", "x", "--measure", "quick").code == 0
    (row,) = ArchiveReader.open(Path("in.bca")).rows()
    assert (row.path, row.quality) == ("a.png", 17)
    assert row.ms_ssim is not None


def test_a_named_file_replaces_the_users(compress: Run, config: Write) -> None:
    """--config FILE is read instead; an empty one gives the built-in defaults."""
    samples.save(Path("in/a.png"), samples.image(90, 90))
    config("[compress]\nquality = 31\n")
    Path("mine.toml").write_text("[compress]\nquality = 12\nmeasure = 'none'\n")
    assert compress("in", "--config", "mine.toml").code == 0
    assert quality_of("in.bca") == 12
    assert compress("in", "--config=/dev/null", "-o", "two.bca", "--no-measure").code == 0
    assert quality_of("two.bca") == 55


def test_a_file_in_the_current_folder_is_not_read(compress: Run) -> None:
    """A folder of photos cannot bring options along."""
    samples.save(Path("in/a.png"), samples.image(90, 90))
    for folder in (Path(), Path("in")):
        (folder / "batchcomp.toml").write_text("[compress]\nquality = 31\n")
    assert compress("in", "--no-measure").code == 0
    assert quality_of("in.bca") == 55


def test_a_home_folder_is_understood(
    compress: Run, config: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No shell expands `~` in the file, so the path is expanded where it is read."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    samples.save(Path("in/a.png"), samples.image(90, 90))
    config('[compress]\noutput = "~/kept.bca"\nmeasure = "none"\n')
    assert compress("in").code == 0
    assert (tmp_path / "home" / "kept.bca").is_dir()
    assert not Path("~").exists()


def test_doctor_names_the_file(run: Run, config: Write) -> None:
    """`doctor` says which file is read, or which one would be."""
    assert "none; " in run("doctor").out
    assert run("doctor", "--json").json[0]["config"] is None
    path = config("")
    assert str(path) in run("doctor").out
    assert run("doctor", "--json").json[0]["config"] == str(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[compress]\nqualty = 5", "[compress] qualty: no such option; did you mean quality?"),
        ("[compress]\nbatch_size = 5", "[compress] batch_size: no such option; did you mean batch-size?"),
        ("[compres]\nquality = 5", "compres: no such command; did you mean compress?"),
        ("[compress]\nzzz = 5", "[compress] zzz: no such option; expected one of output, quality"),
        ("[compress]\nconfig = 'x'", "[compress] config: no such option"),
        ("[compress]\npaths = ['x']", "[compress] paths: no such option"),
        ("[list]\nquality = 5", "[list] quality: no such option"),
        ("[bench]\nrivals = 'jpeg'", "[bench] rivals: no such command; did you mean"),
        ("[bench.curve]\nrivals = 'jpeg'", "[bench] curve: no such command; did you mean curves?"),
        ("[bench.speed]\nrivals = 'jpeg'", "[bench.speed] rivals: no such option"),
        ("[bench.curves]\neffort = 99", "[bench.curves] effort = 99: "),
        ("bench = 5", "bench: expected a section, [bench]"),
        ("bench.curves = 5", "bench.curves: expected a section, [bench.curves]"),
        ("compress = 5", "compress: expected a section, [compress]"),
        ("[compress]\nquality = 500", "[compress] quality = 500: "),
        ("[compress]\nquality = 'high'", "[compress] quality = 'high': "),
        ("[compress]\nquality = true", "[compress] quality = True: expected text or a number"),
        ("[compress]\nquality = [1]", "[compress] quality = [1]: expected text or a number"),
        ("[compress]\nno-measure = 'no'", "[compress] no-measure = 'no': expected true or false"),
        ("[compress]\nexclude = [[1]]", "[compress] exclude = [1]: expected text or a number"),
        ("[report]\nworst = 0", "[report] worst = 0: "),
        ("[compress\n", "is not valid TOML: "),
        ("[compress]\nquality = 5\nquality = 6", "is not valid TOML: "),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, config: Write, text: str, said: str) -> None:
    """Any command refuses a wrong file with one line: the file, the key, what is wrong, what was meant; exit 2."""
    path = config(text)
    result = run("list", "--json")
    assert result.code == 2
    assert result.err.startswith(f"batchcomp: {path}: ")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert [line["exit_code"] for line in result.json] == [2]


def test_subcommands_have_sections_of_their_own(run: Run, config: Write) -> None:
    """`[bench.speed]` holds the defaults of `bench speed` and of no other benchmark."""
    config("[bench.speed]\nquick = true\n[bench.curves]\nplot = 'a.gif'\n")
    assert "--quick and --long: choose one" in run("bench", "speed", "photos", "--long").err
    assert "ends in .png or .svg" in run("bench", "curves", "photos").err
    assert {"bench.curves", "bench.speed", "bench.cohorts", "train.joint", "train.alternating"} <= commands().keys()


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_named_file_must_be_there(run: Run, name: str) -> None:
    """A file that was asked for and cannot be read is an error, not an empty file."""
    result = run("list", "--config", name)
    assert result.code == 2
    assert result.err.startswith(f"batchcomp: {name}: ")
    assert "--config" in result.err


def test_bytes_that_are_no_text_are_refused(run: Run) -> None:
    """A file that is not UTF-8 is named."""
    Path("bad.toml").write_bytes(b"\xff\xfe[list]")
    assert "bad.toml: is not valid TOML" in run("list", "--config", "bad.toml").err


def test_help_needs_no_sound_file(run: Run, config: Write) -> None:
    """Help and version are there when the file is broken."""
    config("[[[")
    assert run("compress", "--help").code == 0
    assert run("--version").code == 0


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_can_be_configured(name: str) -> None:
    """The keys of a section are all the long options of its command, present and future, but --config and --help."""
    options = {opt for param in commands()[name].params for opt in (*param.opts, *param.secondary_opts)}
    long = {opt[2:] for opt in options if opt.startswith("--")}
    assert set(keys_of(commands()[name])) == long - {"config"}
    assert long
