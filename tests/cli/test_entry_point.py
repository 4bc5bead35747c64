"""The installed command itself, in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp import __version__
from batchcomp.archive import ArchiveReader, verify
from tests.archive.samples import sample_row, write_archive
from tests.cli import samples

MODULE = (sys.executable, "-m", "batchcomp")
NO_TORCH = """
import sys
from batchcomp.cli import main
sys.argv = ["batchcomp", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    heavy = {"torch", "numpy", "PIL", "joblib", "rich"}
    print(sorted({name.split(".")[0] for name in sys.modules} & heavy), file=sys.stderr)
    raise
"""


def call(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)


def test_python_m_is_the_command() -> None:
    """`python -m batchcomp --version` prints name and version."""
    done = call(*MODULE, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"batchcomp {__version__}\n", "")


def test_the_installed_script_is_the_command() -> None:
    """The script that installing puts on the path is the same."""
    script = shutil.which("batchcomp", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert script
    assert call(script, "--version").stdout == f"batchcomp {__version__}\n"


@pytest.mark.skipif(find_spec("ncnn") is None, reason="torch runs the networks where ncnn is not")
def test_torch_is_not_loaded_where_ncnn_runs_the_networks(tmp_path: Path) -> None:
    """No command that archives, measures, restores or proves pictures does: loading it takes longer than they do."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (40, 48, 3), np.uint8)).resize((240, 200)).save(tmp_path / "a.png")
    archive, out = tmp_path / "a.bca", tmp_path / "out"
    for command in (
        ("compress", tmp_path / "a.png", "-o", archive, "--model", "fast"),
        ("compress", tmp_path / "a.png", "-o", archive, "--recompress", "--max-bytes", "3000", "--pack"),
        ("compress", tmp_path / "a.png", "-o", archive, "--recompress", "-q", "99", "--no-measure"),
        ("compress", tmp_path / "a.png", "-o", archive, "--recompress", "-q", "50", "--model", "jiang2017"),
        ("decode", archive, "-o", out),
        ("verify", archive, "--decode"),
        ("report", archive),
        ("diff", archive, tmp_path / "a.png"),
    ):
        device = ("--device", "cpu") if command[0] in {"compress", "decode", "verify"} else ()
        done = call(sys.executable, "-c", NO_TORCH, *command, *device)
        assert done.returncode == 0, done.stderr
        assert "torch" not in done.stderr.splitlines()[-1]


def test_help_is_quick() -> None:
    """`--help` names all commands and exit codes and loads neither torch nor an image library."""
    done = call(sys.executable, "-c", NO_TORCH, "--help")
    assert done.returncode == 0
    assert done.stderr == "[]\n"
    for command in ("compress", "decode", "report", "list", "verify", "doctor", "bench", "train"):
        assert f"  {command} " in done.stdout
    assert "130 interrupted" in done.stdout


@pytest.mark.parametrize("command", ["compress", "train"])
def test_help_of_a_command_is_quick_too(command: str) -> None:
    """So does the help of a command."""
    done = call(sys.executable, "-c", NO_TORCH, command, "--help")
    assert (done.returncode, done.stderr) == (0, "[]\n")


@pytest.mark.parametrize("command", ["report", "list"])
def test_what_looks_at_no_pixels_loads_no_arrays(tmp_path: Path, command: str) -> None:
    """Loading numpy takes longer than their answers."""
    write_archive(tmp_path / "x.bca", [(sample_row("a.png"), b"a")])
    done = call(sys.executable, "-c", NO_TORCH, command, tmp_path / "x.bca")
    assert done.returncode == 0
    assert not {"numpy", "torch", "PIL", "joblib"} & set(json.loads(done.stderr.splitlines()[-1].replace("'", '"')))


def test_the_shipped_model_does_the_main_job(tmp_path: Path) -> None:
    """With nothing but a folder: compress with the shipped weights; stdout is JSON only; exit 3 for a bad file."""
    samples.save(tmp_path / "in" / "ü.png", samples.image(180, 200))
    (tmp_path / "in" / "bad.png").write_bytes(b"bad")
    done = call(*MODULE, "compress", tmp_path / "in", "--json")
    assert done.returncode == 3
    kinds = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert [kind for kind in kinds if kind != "progress"] == ["failed", "done", "summary"]  # slow machines say more
    assert done.stderr.startswith("failed: ")
    (row,) = ArchiveReader.open(tmp_path / "in.bca").rows()
    assert row.ms_ssim is not None
    assert row.ms_ssim > 0.9


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise on Windows")
def test_a_reader_that_leaves_is_no_crash(tmp_path: Path) -> None:
    """`batchcomp list | head -1` ends without a traceback, however long the list is."""
    pictures = [(sample_row(f"{number:05}{'x' * 60}.png"), b"") for number in range(3_000)]
    write_archive(tmp_path / "long.bca", pictures)
    done = call("sh", "-c", '"$0" -m batchcomp list "$1" | head -1', sys.executable, tmp_path / "long.bca")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{'0' * 5}{'x' * 60}.png\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are UTF-8 in any locale")
@pytest.mark.parametrize("options", [(), ("-X", "utf8=0")])
def test_the_locale_changes_no_name(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Where it is not UTF-8, pictures are still found by their bytes, and none counts as gone."""
    names = ["grün.png", "日本.png", "plain.png"]
    for name in names:
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(b"x")
    write_archive(tmp_path / "x.bca", [(sample_row(name), b"data") for name in names])
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environ = {**os.environ, **plain}
    command = [sys.executable, *options, "-m", "batchcomp", "prune", "x.bca", "--delete-missing", "photos", "--yes"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 versions dropped" in done.stdout


LIMITED = """
import os, resource, sys
size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (size, size))
os.execv(sys.executable, [sys.executable, "-m", "batchcomp", *sys.argv[2:]])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count address space in other ways")
@pytest.mark.parametrize(("size", "code"), [(150, 1), (300, 1), (500, 1), (4000, 0)])
def test_a_limit_of_address_space(tmp_path: Path, size: int, code: int) -> None:
    """Too little is one line, never a crash of a library; what needs little goes on."""
    samples.save(tmp_path / "photos" / "a.png", samples.image(40, 50))
    done = call(sys.executable, "-c", LIMITED, size * 10**6, "compress", tmp_path / "photos", "--jobs", "1")
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert ("not enough memory" in done.stderr) == bool(code)
    write_archive(tmp_path / "b.bca", [(sample_row("a.png"), b"payload")])
    listed = call(sys.executable, "-c", LIMITED, 200 * 10**6, "list", tmp_path / "b.bca")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "a.png\n", "")


@pytest.mark.parametrize("change", ["mount -t tmpfs -o ro tmpfs /dev/shm", "umount -l /dev/shm"])
def test_without_shared_memory(tmp_path: Path, change: str) -> None:
    """Where /dev/shm is missing or read-only pictures are archived all the same, and nothing is said of it."""
    if not shutil.which("unshare") or call("unshare", "-m", "sh", "-c", change).returncode:
        pytest.skip("this system does not let us change /dev/shm for one process")
    if tmp_path.is_relative_to("/dev/shm"):  # noqa: S108
        pytest.skip("the tests themselves use /dev/shm")
    samples.save(tmp_path / "photos" / "a.png", samples.image(40, 50))
    command = f'{change} && exec "$@"'
    done = call("unshare", "-m", "sh", "-c", command, "sh", *MODULE, "compress", tmp_path / "photos", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert verify(tmp_path / "photos.bca").ok
    assert [row.path for row in ArchiveReader.open(tmp_path / "photos.bca").rows()] == ["a.png"]


CLOSED = """
import os, sys
from pathlib import Path
os.closerange(0, 3)
from batchcomp.cli import main
out, sys.argv = sys.argv[1], ["batchcomp", "--version"]
try:
    main()
except SystemExit:
    pass
null = os.stat(os.devnull)
Path(out).write_text(repr([os.path.samestat(os.fstat(number), null) for number in range(3)]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows hands descriptors to no other program")
def test_closed_streams_are_taken(tmp_path: Path) -> None:
    """No file of an archive gets the number of standard error, to which C libraries write."""
    call(sys.executable, "-c", CLOSED, tmp_path / "found")
    assert (tmp_path / "found").read_text() == "[True, True, True]"
