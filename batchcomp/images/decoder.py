"""The process that decodes untrusted pictures, one at a time, within limits of time and memory.

`isolated.py` starts it and describes the protocol. Nothing here may import torch, so that it starts quickly.
"""

from __future__ import annotations

import json
import resource
import signal
import socket

from PIL import AvifImagePlugin

from batchcomp.errors import PictureError
from batchcomp.images.decoder_protocol import REPLY, REQUEST, described, description_of
from batchcomp.images.load import decode_picture
from batchcomp.images.shared_memory import SharedMemory
from batchcomp.settings import Limits


def main(channel: int, memory: int) -> None:
    """Serve requests from the socket `channel` until it is closed; answers go to the shared `memory`."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the run, which closes the channel when it ends
        signal.signal(number, signal.SIG_IGN)
    _restrict(resource.RLIMIT_CORE, 0)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # pictures are decoded side by side already
    shared = SharedMemory(memory)
    with socket.socket(fileno=channel) as connection:
        while request := _read(connection, REQUEST.size):
            _serve(connection, request, shared)


def _serve(connection: socket.socket, request: bytes, shared: SharedMemory) -> None:
    head_size, data_size = REQUEST.unpack(request)
    head = json.loads(_read(connection, head_size))
    data = _read(connection, data_size)
    limits = Limits(**head["limits"])
    _restrict(resource.RLIMIT_AS, limits.max_memory)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _restrict(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + limits.max_seconds) + 1)
    shared.clear()
    try:
        answer = described(decode_picture(data, head["name"], limits=limits, empty=shared.pixels), shared.append)
    except PictureError as error:
        answer = description_of(error)
        shared.clear()
        shared.shrink()  # it may have been too large for this process
    start, size = shared.append(json.dumps(answer).encode())
    connection.sendall(REPLY.pack(start, size))


def _restrict(kind: int, amount: int) -> None:
    """Set a limit of this process; where the system does not support or allow it, there is none."""
    try:
        resource.setrlimit(kind, (amount, resource.getrlimit(kind)[1]))
    except (ValueError, OSError):
        return


def _read(connection: socket.socket, size: int) -> bytes:
    """Return exactly `size` bytes, or none where the other side is gone."""
    parts, left = [], size
    while left:
        part = connection.recv(left, socket.MSG_WAITALL)  # mostly all of it, so that a large file is held once
        if not part:
            return b""
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
