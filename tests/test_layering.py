"""Imports go only downward; heavy and narrow packages stay where they belong."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "batchcomp"
MODULES = sorted(ROOT.rglob("*.py"))
SHARED = {
    "errors",
    "escapes",
    "kinds",
    "memory",
    "outputs",
    "settings",
    "interrupts",
    "amount",
    "places",
}  # modules that every room may import
PUBLIC = {"__init__", "api", "pillow"}  # what strangers import; no room of ours does

# room -> the rooms it may import; the order is from the bottom to the top
MAY_IMPORT: dict[str, set[str]] = {
    "images": set(),
    "models": set(),
    "metrics": set(),
    "codec": {"images", "models", "metrics"},
    "archive": set(),
    "report": {"metrics", "archive"},
    "index": {"archive", "report"},
    "pipeline": {"codec", "archive", "images", "metrics", "index"},
    "pages": {"codec", "archive", "images", "metrics", "pipeline", "report"},
    "serve": {"codec", "archive", "images", "index", "pipeline", "report", "pages"},
    "training": {"codec", "images", "metrics"},
    "benchmark": {"codec", "archive", "images", "metrics", "pipeline", "report"},
    "cli": {
        "codec",
        "models",
        "archive",
        "images",
        "metrics",
        "pipeline",
        "report",
        "index",
        "pages",
        "serve",
        "training",
        "benchmark",
    },
}
ONLY_IN = {
    "torch": {"benchmark", "codec", "metrics", "training"},
    "pytorch_msssim": {"metrics", "training"},
    "safetensors": {"codec"},
    "constriction": {"codec"},
    "mozjpeg_lossless_optimization": {"codec"},
    "ncnn": {"codec"},
    "rich": {"cli", "report"},
    "typer": {"cli"},
    "click": set[str](),
    "joblib": {"pipeline", "benchmark"},
    "distributed": {"pipeline"},
    "filelock": {"archive", "training"},
    "obstore": {"archive"},
    "platformdirs": {"cli", "index"},
    "sqlite3": {"index"},
    "pyarrow": {"report"},
    "matplotlib": {"benchmark", "report"},
    "jinja2": {"pages"},
    "starlette": {"serve"},
    "uvicorn": {"serve"},
    "anyio": {"serve"},
    "markupsafe": {"pages"},
}
TORCH_COMMANDS = {"doctor.py", "trainer.py"}  # they report on torch or set its threads, inside their bodies


def room_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every module that a file imports, in function bodies too, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield str(node.module), node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def rooms_imported(path: Path) -> Iterator[tuple[str, int]]:
    for name, line in imported(path):
        parts = name.split(".")
        if parts[0] == "batchcomp" and len(parts) > 1:
            yield parts[1], line


def test_every_room_is_in_the_table() -> None:
    """A new room must be given its place."""
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    assert rooms == set(MAY_IMPORT)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downward(path: Path) -> None:
    """A module imports only its own room, the rooms below it, and the shared modules."""
    room = room_of(path)
    if room == "__main__":
        allowed = {"cli"}
    elif room in SHARED:
        allowed = set()
    elif room in PUBLIC:
        allowed = MAY_IMPORT["benchmark"]
    else:
        allowed = {room} | MAY_IMPORT[room]
    rooms = set(MAY_IMPORT)
    wrong = [f"line {line}: batchcomp.{name}" for name, line in rooms_imported(path) if name in rooms - allowed]
    assert not wrong


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_imported(path: Path, modules: set[str]) -> set[str]:
    """Return the modules of ours that a file imports, in functions too, but for types only."""

    def walk(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else str(node.module) for name in names)
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    return set(walk(ast.parse(path.read_text(encoding="utf-8")))) & modules


def test_no_file_imports_itself_by_way_of_others() -> None:
    """There is no circle between files: the imports of all files have an order."""
    modules = {module_of(path): path for path in MODULES}
    graph = {name: files_imported(path, set(modules)) for name, path in modules.items()}
    circle: list[str] = []
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1]
    assert not circle


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_packages_stay_in_their_rooms(path: Path) -> None:
    """A package is used in the few rooms that exist to hide it."""
    room = room_of(path)
    wrong = [
        f"line {line}: {name}"
        for name, line in imported(path)
        if (package := name.split(".")[0]) in ONLY_IN
        and room not in ONLY_IN[package]
        and not (package == "torch" and room == "cli" and path.name in TORCH_COMMANDS)
    ]
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    """Library code returns and raises; it does not talk to a terminal or end the process."""
    if room_of(path) == "cli":
        return
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    names = [ast.unparse(call) for call in calls]
    assert not [name for name in names if name in {"print", "exit", "quit", "sys.exit", "os._exit", "input"}]


@pytest.mark.parametrize("path", sorted((ROOT / "cli").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_load_torch_only_inside_their_bodies(path: Path) -> None:
    """No module of the command line imports, at its top, a room that needs torch: `--help` stays quick."""
    heavy = {"codec", "metrics", "training", "pipeline", "pages", "serve", "benchmark"}
    tops = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    wrong = [
        node.module
        for node in tops
        if node.module and node.module.split(".")[1:2] and node.module.split(".")[1] in heavy
    ]
    assert not [module for module in wrong if str(module).startswith("batchcomp")]
