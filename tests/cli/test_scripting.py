"""docs/scripting.md is what the commands do: every line of real output has the fields and types it promises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from filelock import FileLock
from typer.testing import CliRunner

from batchcomp.archive.store.folder_lock import LOCK_NAME
from batchcomp.cli import console
from batchcomp.cli.app import app
from batchcomp.errors import ArchiveError, ExitCode, ModelError
from tests.cli import samples
from tests.cli.conftest import Result, Run
from tests.cli.test_decode import flip_a_byte

GUIDE = (Path(__file__).parents[2] / "docs" / "scripting.md").read_text(encoding="utf-8")
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "list": (list,),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """What the guide says of one field."""

    kinds: tuple[type, ...]
    nullable: bool
    optional: bool

    def takes(self, value: object) -> bool:
        """Whether the value is of a promised type; True is no number."""
        return self.nullable if value is None else type(value) in self.kinds


def cells(text: str) -> Iterator[list[str]]:
    """Yield the body rows of the tables in a text."""
    for line in text.splitlines():
        if line.startswith("| `") or re.match(r"\| \d+ \|", line):
            yield [cell.strip() for cell in line.replace(r"\|", "/").strip("|").split("|")]


@cache
def messages() -> dict[str, dict[str, Field]]:
    """Return the guide's fields by message type."""
    _, *sections = re.split(r"^### `(.+)`$", GUIDE, flags=re.MULTILINE)
    found = {}
    for name, text in zip(sections[::2], sections[1::2], strict=True):
        found[name] = {cell[0].strip("`"): field_of(cell[1]) for cell in cells(text)}
    return found


def field_of(words: str) -> Field:
    """Read a type as the guide writes it: `number or null, optional`."""
    kind, _, optional = words.partition(", ")
    assert optional in {"", "optional"}
    names = kind.split(" or ")
    kinds = tuple(kind for name in names if name != "null" for kind in TYPES[name])
    return Field(kinds=kinds, nullable="null" in names, optional=bool(optional))


def commands() -> dict[str, set[str]]:
    """Return the guide's message types by command, without the summary."""
    section = GUIDE.split("| command | lines before the summary |")[1].split("\n\n")[0]
    return {cell[0].strip("`"): set(re.findall(r"`(\w+)`", cell[1])) for cell in cells(section)}


def problems(line: dict[str, Any]) -> list[str]:
    """Say in what a line is not what the guide promises."""
    fields = messages().get(line["type"])
    if fields is None:
        return [f"{line['type']}: no such message in the guide"]
    given = {name: value for name, value in line.items() if name not in {"type", "schema"}}
    wrong = [f"{name}: not in the guide" for name in given if name not in fields]
    wrong += [f"{name}: missing" for name, field in fields.items() if not field.optional and name not in given]
    wrong += [f"{name}: {value!r}" for name, value in given.items() if name in fields and not fields[name].takes(value)]
    return [f"{line['type']} {one}" for one in wrong]


def check(command: str, result: Result) -> list[dict[str, Any]]:
    """Hold the lines of a run against the guide, and return them."""
    lines = result.all_json
    assert [problem for line in lines for problem in problems(line)] == []
    assert all(line["schema"] == console.SCHEMA for line in lines)
    *others, last = lines
    assert {line["type"] for line in others} <= commands()[command]
    assert (last["type"], last["command"], last["exit_code"]) == ("summary", command, result.code)
    return lines


@pytest.fixture
def archive(compress: Run, photos: Path) -> Path:
    """Return an archive of photos, one of them as it is, one damaged."""
    samples.save(photos / "alpha.gif", samples.image(mode="P"))
    assert compress(photos).code == 0
    archive = photos.with_name("photos.bca")
    flip_a_byte(archive, "alpha.gif")
    return archive


@pytest.fixture
def scenarios(
    run: Run, compress: Run, decode: Run, archive: Path, photos: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, list[Callable[[], Result]]]:
    """Return for every command runs that go well and runs that do not; together they say all there is to say."""
    monkeypatch.setattr("batchcomp.cli.progress.EVERY", 0.0)

    def compress_new() -> Result:
        (photos / "bad.png").write_bytes(b"bad")
        (photos / "notes.txt").write_text("no picture")
        samples.save(photos / "new.png", samples.image(90, 90, seed=5))
        return compress(photos, "--json")

    def wait() -> Result:
        loads = [9.0, 9.0, 1.0]
        with monkeypatch.context() as patch:
            patch.setattr("os.getloadavg", lambda: (loads.pop(0) if len(loads) > 1 else 1.0, 0.0, 0.0))
            patch.setattr("batchcomp.pipeline.load_average.time.sleep", lambda _: None)
            return compress(photos, "--json", "--max-load", 4, "-o", "waited.bca", "--no-measure")

    def planned() -> Result:
        return compress(photos, "--json", "--plan", "-o", "planned.bca")

    def diff() -> Result:
        samples.save(photos / "later.png", samples.image(70, 70, seed=6))
        (photos / "broken").symlink_to(photos / "nothing")
        return run("diff", archive, photos, "--follow-symlinks", "--json")

    def cut() -> Result:
        (archive / "000001.zip").write_bytes((archive / "000001.zip").read_bytes()[:-9])
        return run("list", archive, "--json")

    def kept() -> Result:
        samples.save(photos / "pruned" / "a.png")
        for seed in (3, 4):
            samples.save(photos / "pruned" / "a.png", samples.image(seed=seed))
            compress(photos / "pruned", "-o", "pruned.bca")
        return run("prune", "pruned.bca", "--json", "--keep-last", 2, "--dry-run")

    def borne() -> Result:
        compress(photos, "-o", "borne.bca", "--parity", "5%", "--no-measure")
        return run("verify", "borne.bca", "--json")

    def renewed() -> Result:
        (archive.with_name("borne.bca") / "000001.zip.parity").write_bytes(b"rubbish")
        return run("repair", "borne.bca", "--json")

    found: dict[str, list[Callable[[], Result]]] = {
        "compress": [lambda: compress(photos, "--json", "--dry-run", "-o", "other.bca"), compress_new, wait, planned],
        "decode": [
            lambda: decode(archive, "-o", "out", "--json"),
            lambda: run("decode", archive, "-o", "elsewhere", "--json", "--dry-run", "--model", tiny_model),
        ],
        "unpack": [lambda: run("unpack", archive, "-o", "unpacked", "--json")],
        "verify": [
            lambda: run("verify", archive, "--json"),
            lambda: run("verify", archive, "--json", "--decode"),
            lambda: run("verify", archive, "--json", "--outside"),
            borne,
            lambda: run("verify", archive, "--json", "--sources", photos, "--sample", "100%"),
        ],
        "diff": [diff],
        "prune": [kept, lambda: run("prune", "pruned.bca", "--json")],
        "repair": [
            lambda: run("repair", archive, "--json", "--dry-run"),
            lambda: run("repair", archive, "--json"),
            renewed,
        ],
        "report": [
            lambda: run("report", archive, "--json"),
            lambda: run("report", archive, "--history", "a.png", "--json"),
            lambda: run("report", archive, "--outside", "--json"),
        ],
        "doctor": [lambda: run("doctor", "--json")],
        "export": [lambda: run("export", archive, "--parquet", "x.parquet", "--force", "--json")],
        "index": [lambda: run("index", archive, "--json")],
        "preview": [lambda: run("preview", photos, "--json", "--model", tiny_model, "-q", "50")],
        "list": [
            lambda: run("list", archive, "--json"),
            lambda: run("list", archive, "--versions", "--json"),
            lambda: run("list", archive, "--outside", "--json"),
            cut,
        ],
    }
    return found


def test_every_line_is_as_documented(scenarios: dict[str, list[Callable[[], Result]]]) -> None:
    """Real runs of every command print only what the guide says, and all message types that it names."""
    assert set(scenarios) == set(commands())
    seen: dict[str, set[str]] = {}
    for command, runs in scenarios.items():
        for one in runs:
            seen.setdefault(command, set()).update(line["type"] for line in check(command, one())[:-1])
    assert {line for lines in seen.values() for line in lines} == set(messages()) - {"summary"}


def test_every_command_with_json_lines_is_in_the_guide() -> None:
    """A command that gets `--json` must be described."""
    group: Any = typer.main.get_command(app)
    with_json = {name for name, one in group.commands.items() if "as_json" in {param.name for param in one.params}}
    assert with_json == set(commands())


def test_the_exit_codes_are_those_of_the_code() -> None:
    """The guide's table has every exit code, and no other."""
    section = GUIDE.split("## Exit codes")[1].split("\n## ")[0]
    assert {int(cell[0]) for cell in cells(section)} == set(ExitCode)


def test_the_guide_is_strict() -> None:
    """The check itself finds missing, unknown and wrong fields."""
    good = {"type": "failed", "schema": 1, "name": "a", "reason": "b", "damage": False, "pixels": False}
    assert problems(good) == []
    assert problems({**good, "more": 1}) == ["failed more: not in the guide"]
    assert problems({**good, "damage": None}) == ["failed damage: None"]
    assert problems({**good, "name": 1}) == ["failed name: 1"]
    assert problems({key: value for key, value in good.items() if key != "damage"}) == ["failed damage: missing"]
    assert problems({"type": "picnic"}) == ["picnic: no such message in the guide"]
    assert problems({"type": "waiting", "load": True, "max_load": 1.0}) == ["waiting load: True"]


JSON_COMMANDS = sorted(commands())
ARGUMENTS: dict[str, list[str]] = {
    "compress": ["in"],
    "decode": ["none.bca"],
    "unpack": ["none.bca"],
    "diff": ["none.bca"],
    "preview": ["none.jpg"],
}


def called(command: str) -> list[str]:
    return [command, *ARGUMENTS.get(command, []), "--json"]


@pytest.mark.parametrize("command", JSON_COMMANDS)
def test_wrong_options_end_with_a_summary(run: Run, command: str) -> None:
    """Usage errors are told as JSON too."""
    (line,) = check(command, run(*called(command), "--no-such-option"))
    assert line["exit_code"] == 2
    assert "--no-such-option" in line["error"]


@pytest.mark.parametrize("command", sorted(set(JSON_COMMANDS) - {"compress", "preview", "doctor"}))
def test_a_missing_archive_ends_with_a_summary(run: Run, command: str) -> None:
    """So is an archive that is not there."""
    than = {"diff": ["--at", "2026-11-01"], "export": ["--parquet", "x.parquet"]}.get(command, [])
    assert check(command, run(command, "none.bca", "--json", *than))[-1]["exit_code"] == 10


def test_a_locked_archive_ends_with_a_summary(compress: Run, photos: Path) -> None:
    """So is an archive that another run writes to."""
    assert compress(photos).code == 0
    with FileLock(photos.with_name("photos.bca") / LOCK_NAME):
        (line,) = check("compress", compress(photos, "--json"))
    assert line["exit_code"] == 11
    assert "writing" in line["error"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ArchiveError("disk full"), 1, "disk full"),
        (ModelError("no model"), 1, "no model"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyboardInterrupt("SIGTERM"), 143, "interrupted"),
    ],
)
def test_what_ends_a_run_is_in_the_summary(
    compress: Run, photos: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    """Whatever ends a run half way, the summary tells it, with the counts so far."""
    from batchcomp.codec.codec import Codec  # noqa: PLC0415 - needs torch

    samples.save(photos / "zz.png", samples.image(20, 20))
    (photos / "aa.txt").write_text("no picture")
    compact = Codec.compact

    def fails(self: Codec, pictures: Any, *rest: Any, **options: Any) -> Any:
        if pictures and pictures[0].width == 20:
            raise error
        return compact(self, pictures, *rest, **options)

    monkeypatch.setattr(Codec, "compact", fails)
    result = compress(photos, "--json", "--batch-size", 1)
    *_, summary = check("compress", result)
    assert result.code == code
    assert said in summary["error"]
    assert summary["skipped"] == 1


def test_a_crash_leaves_a_summary(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is loud, and yet the last line is there."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("really")

    monkeypatch.setattr("batchcomp.pipeline.compress.compress_archive", broken)
    result = CliRunner().invoke(app, ["compress", str(photos), "--json"], prog_name="batchcomp")
    assert isinstance(result.exception, ZeroDivisionError)
    (line,) = check("compress", Result(code=1, out=result.stdout, err=result.stderr))
    assert line["error"] == "unexpected ZeroDivisionError: really; please report it"
