"""The examples for nightly runs do what they say, on real files."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image

from batchcomp.archive import ArchiveReader, verify
from batchcomp.archive.store.folder_lock import LOCK_NAME

CRON = Path(__file__).parents[2] / "examples" / "cron"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="cron and systemd are not for Windows")


@dataclass(frozen=True, kw_only=True)
class Site:
    """A machine as the examples expect it, in a folder: programs in bin, photos and archive in srv."""

    root: Path

    @property
    def photos(self) -> Path:
        return self.root / "srv" / "photos"

    @property
    def archive(self) -> Path:
        return self.root / "srv" / "photos.bca"

    @property
    def mail(self) -> str:
        """What the mailer was given; "" if it was not called."""
        path = self.root / "mail"
        return path.read_text() if path.exists() else ""

    def here(self, text: str) -> str:
        """Move the paths of an example below this folder, and let no busy machine hold it up."""
        moved = re.sub(r"(?<![\w/])/(srv|usr/local/bin|var/lib)\b", rf"{self.root}/\1", text)
        return re.sub(r"--max-load \d+", "--max-load 9999", moved)

    def run(self, command: str | list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as cron does: by sh, with hardly any environment."""
        words = ["/bin/sh", "-c", command] if isinstance(command, str) else command
        return subprocess.run(
            words, env=self.environment(**environment), capture_output=True, text=True, check=False, timeout=120
        )

    def environment(self, **more: str) -> dict[str, str]:
        """Return the little that cron gives a job."""
        path = f"{self.root}/usr/local/bin:/usr/bin:/bin"
        return {"HOME": str(self.root), "PATH": path, "OMP_NUM_THREADS": "1", **more}


@pytest.fixture
def site(tmp_path: Path, tiny_model: Path) -> Site:
    """Set up a machine with two photos, batchcomp with a tiny model, and a mailer that keeps what it is given."""
    made = Site(root=tmp_path)
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        made.photos.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").convert("RGB").rotate(len(colour) * 20).save(made.photos / name)
    programs = tmp_path / "usr" / "local" / "bin"
    programs.mkdir(parents=True)
    (tmp_path / "var" / "lib").mkdir(parents=True)
    write_program(
        programs / "batchcomp",
        f'command=$1; shift\n[ "$command" = compress ] && set -- "$@" --model "{tiny_model}" --no-measure --jobs 1\n'
        f'exec "{sys.executable}" -m batchcomp "$command" "$@"',
    )
    write_program(programs / "mail", f'{{ echo "to $3: $2"; cat; }} >"{tmp_path}/mail"')
    write_program(programs / "broken-mail", "exit 1")
    return made


def write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


Nightly = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def nightly(site: Site) -> Nightly:
    """Run the script on the site's photos."""
    command = ["/bin/sh", str(CRON / "nightly.sh"), str(site.photos), str(site.archive)]
    return lambda *options, **environment: site.run([*command, *options], **environment)


def test_a_night_without_trouble_is_silent(site: Site, nightly: Nightly) -> None:
    """Exit 0, nothing printed, no mail; a second night takes nothing and is silent too."""
    for _ in range(2):
        done = nightly()
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert site.mail == ""
    assert [row.path for row in ArchiveReader.open(site.archive).rows()] == ["a.png", "b.png"]


def test_failed_files_are_mailed(site: Site, nightly: Nightly) -> None:
    """Exit 3 mails who should know which file failed and why; the others are stored."""
    (site.photos / "bad.png").write_bytes(b"bad")
    done = nightly(MAILTO="me@example.org")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    assert site.mail.startswith("to me@example.org: batchcomp on ")
    assert "some files failed (3)" in site.mail.splitlines()[0]
    assert "bad.png" in site.mail
    assert "2 stored, 1 failed" in site.mail
    assert len(list(ArchiveReader.open(site.archive).rows())) == 2


def test_a_locked_archive_is_mailed(site: Site, nightly: Nightly) -> None:
    """Exit 11 names the archive."""
    assert nightly().returncode == 0
    with FileLock(site.archive / LOCK_NAME):
        assert nightly().returncode == 11
    assert "to root: " in site.mail
    assert "another run is writing to the archive (11)" in site.mail
    assert str(site.archive) in site.mail


def test_a_fatal_error_is_mailed(site: Site, nightly: Nightly) -> None:
    """So are errors that left nothing done: an archive that is a file (1), wrong options (2), no program (127)."""
    site.archive.write_text("a file")
    assert nightly().returncode == 1
    assert "failed (1)" in site.mail
    assert "is a file, not an archive" in site.mail
    assert nightly("--no-such-option").returncode == 2
    assert "failed (2)" in site.mail
    assert nightly(BATCHCOMP="no-such-program").returncode == 127
    assert "failed (127)" in site.mail


def test_a_mail_that_cannot_be_sent_is_said(site: Site, nightly: Nightly) -> None:
    """Where the mailer fails, cron gets a line, and the exit code is still that of batchcomp."""
    (site.photos / "bad.png").write_bytes(b"bad")
    done = nightly(MAILER="broken-mail")
    assert done.returncode == 3
    assert "the mail could not be sent; batchcomp ended with exit code 3" in done.stderr


def test_names_with_blanks_are_one_word(site: Site) -> None:
    """Folders may be called anything."""
    site.photos.rename(site.root / "my $(photos) 'n")
    done = site.run(
        ["/bin/sh", str(CRON / "nightly.sh"), str(site.root / "my $(photos) 'n"), str(site.root / "an archive.bca")]
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(ArchiveReader.open(site.root / "an archive.bca").rows())) == 2


def test_a_stopped_night_stops_batchcomp_in_good_order(site: Site, nightly: Nightly) -> None:
    """SIGTERM for the script reaches batchcomp, the script waits for it, and the mail says what happened."""
    assert nightly().returncode == 0
    write_program(
        site.root / "usr" / "local" / "bin" / "slow",
        f'trap "echo finishing; sleep 1; echo finished; exit 143" TERM\n: >"{site.root}/began"\n'
        "i=0; while [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done",
    )
    command = ["/bin/sh", str(CRON / "nightly.sh"), str(site.photos), str(site.archive)]
    with subprocess.Popen(command, env=site.environment(BATCHCOMP="slow")) as process:
        deadline = time.monotonic() + 30
        while not (site.root / "began").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
    assert "interrupted (143)" in site.mail
    assert "finishing\nfinished\n" in site.mail


def test_the_script_explains_itself(site: Site) -> None:
    """Without arguments it says how it is called."""
    done = site.run(["/bin/sh", str(CRON / "nightly.sh")])
    assert done.returncode == 2
    assert "usage: nightly.sh PHOTOS ARCHIVE" in done.stderr


def crontab_jobs() -> list[tuple[list[str], str]]:
    """Return (five times, command) of every job in the crontab."""
    lines = (CRON / "crontab").read_text(encoding="utf-8").splitlines()
    jobs = [line for line in lines if line and not line.startswith("#") and not re.match(r"\w+=", line)]
    return [(job.split(maxsplit=5)[:5], job.split(maxsplit=5)[5]) for job in jobs]


def test_the_crontab_is_one() -> None:
    """Five fields of numbers in their ranges or stars, then a command without the % that cron would cut at."""
    ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    assert len(crontab_jobs()) == 2
    for times, command in crontab_jobs():
        for field, (low, high) in zip(times, ranges, strict=True):
            assert field == "*" or low <= int(field) <= high
        assert "%" not in command


def test_the_lines_of_the_crontab_run(site: Site) -> None:
    """Run by sh as cron does, both jobs end with 0 and print nothing, so no mail is sent; the logs have the story."""
    for _, command in crontab_jobs():
        done = site.run(site.here(command))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert verify(site.archive).entries == 2
    assert "2 stored" in (site.root / "batchcomp.log").read_text()
    assert "no damage found" in (site.root / "batchcomp-verify.log").read_text()


def unit(name: str) -> configparser.ConfigParser:
    """Read a unit of systemd."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(CRON / name, encoding="utf-8")
    return parser


def test_the_service_runs(site: Site) -> None:
    """The ExecStart line of the service, run as it stands, archives the photos; its sections and paths fit together."""
    service, timer = unit("batchcomp.service"), unit("batchcomp.timer")
    command = service["Service"]["ExecStart"]
    done = site.run(shlex.split(site.here(command)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list(ArchiveReader.open(site.archive).rows())) == 2
    words = shlex.split(command)
    assert words[2] in service["Service"]["ReadOnlyPaths"]
    assert words[4].startswith(service["Service"]["ReadWritePaths"])
    assert set(timer.sections()) == {"Unit", "Timer", "Install"}
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_takes_the_units(site: Site) -> None:
    """`systemd-analyze verify` finds nothing to complain about, and the timer's calendar is one."""
    folder = site.root / "units"
    folder.mkdir()
    for name in ("batchcomp.service", "batchcomp.timer"):
        text = (CRON / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("/usr/local/bin/batchcomp", "/bin/true").replace("=photos", "=root"))
    done = site.run(["systemd-analyze", "verify", f"{folder}/batchcomp.service", f"{folder}/batchcomp.timer"])
    ours = [line for line in done.stderr.splitlines() if "batchcomp" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
    calendar = unit("batchcomp.timer")["Timer"]["OnCalendar"]
    assert site.run(["systemd-analyze", "calendar", calendar]).returncode == 0
