"""Systems that are not POSIX: the core works with what they lack taken away."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.benchmark.samples import photo

# What Windows' Python has none of (https://docs.python.org/3/library/, "Availability: Unix"). Libraries, Python's own
# and others', are loaded before: they have a way of their own there.
PRELUDE = """
import asyncio, concurrent.futures, logging, multiprocessing, os, pathlib, selectors, shutil, signal, socket
import subprocess, sys, tempfile, threading, zipfile
import filelock, joblib, numpy, platformdirs, rich.console, torch
for name in ("fcntl", "grp", "posix_ipc", "pwd", "readline", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
for name in (
    "chown chroot fchdir fchmod fchown fork forkpty geteuid getgid getgroups getloadavg getpgid getuid killpg lchown "
    "mkfifo mknod nice pread pwrite sched_getaffinity sched_setaffinity setsid statvfs sync uname wait3 wait4"
).split():
    if hasattr(os, name):
        delattr(os, name)
for name in "SIGALRM SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 pthread_sigmask".split():
    if hasattr(signal, name):
        delattr(signal, name)
def link(*args, **options):
    import errno
    raise OSError(errno.EPERM, "Operation not permitted")
os.link = link
def disk_usage(path):  # Windows asks in another way
    import errno
    raise OSError(errno.ENOSYS, "Function not implemented")
shutil.disk_usage = disk_usage
from batchcomp.cli import main
sys.argv[0] = "batchcomp"
main()
"""


def run(folder: Path, *args: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    environment |= {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run(
        [sys.executable, "-c", PRELUDE, *map(str, args)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two pictures, made and looked after without anything of POSIX."""
    folder = tmp_path_factory.mktemp("platform")
    (folder / "photos").mkdir()
    for number in range(2):
        Image.fromarray(photo(seed=number)).save(folder / "photos" / f"{number}.png")
    made = run(folder, "compress", "photos", "-o", "a.bca")
    assert made.returncode == 0, made.stderr
    assert "2 stored" in made.stdout + made.stderr
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("list", "a.bca"),
        ("report", "a.bca"),
        ("verify", "a.bca", "--decode"),
        ("repair", "a.bca"),
        ("prune", "a.bca", "--dry-run"),
        ("doctor",),
    ],
)
def test_every_command_works_without_posix(folder: Path, command: tuple[str, ...]) -> None:
    done = run(folder, *command)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_pictures_come_back_without_posix(folder: Path) -> None:
    done = run(folder, "decode", "a.bca", "-o", "restored")
    assert done.returncode == 0, done.stderr
    for number in range(2):
        with Image.open(folder / "restored" / f"{number}.png") as image:
            error = np.asarray(image).astype(int) - photo(seed=number)
            assert np.abs(error).mean() < 20
    with zipfile.ZipFile(folder / "a.bca" / "000001.zip") as archive:
        assert archive.testzip() is None


def test_what_a_system_lacks_is_said(folder: Path) -> None:
    refused = run(folder, "list", "a.bca", "--nice", "5")
    assert refused.returncode == 2
    assert "--nice: this system has none" in refused.stderr
