"""Decodes pictures in processes of their own, so that a hostile or broken one stops nothing but itself.

A request is the name, the limits and the content of a file, sent over a socket. The answer lies in memory that both
share: pixels, metadata, and JSON that says what is where; nothing is pickled. A process that dies, or is ended because
it takes too long, costs only the picture it decodes; the next picture gets a new process. A large picture stays in the
shared memory, and its process is ended, so that there is never a second copy of it. The limits of memory and of
computing time are the operating system's (`setrlimit`).
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from batchcomp.errors import PictureError
from batchcomp.images.decoder_protocol import REPLY, REQUEST, bytes_of_pixels, error_of, picture_of
from batchcomp.images.load import decode_picture
from batchcomp.images.names import shown
from batchcomp.images.picture import Picture
from batchcomp.images.shared_memory import KEPT, SharedMemory, new_descriptor
from batchcomp.settings import DEFAULT_LIMITS, Limits

try:
    import resource  # the processes limit themselves with it; Windows has none
except ImportError:
    resource = None  # type: ignore[assignment]

SUPPORTED = resource is not None and os.name == "posix" and bool(sys.executable)
# By the clock a process may take this many times its limit of computing time, and this many seconds more: the machine
# may be busy, and a process has to start.
_CLOCK_FACTOR, _CLOCK_EXTRA = 5, 30
_START = (
    "import sys; sys.path[:] = sys.argv[3:]; from batchcomp.images.decoder import main; main(*map(int, sys.argv[1:3]))"
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Decoders:
    """Up to `workers` decoding processes, as a context manager. Each starts when it is first needed.

    Any number of threads may use it; more than `workers` wait. Where the system has no such processes (`SUPPORTED`), or
    without `isolate`, pictures are decoded in this process.
    """

    def __init__(self, workers: int, *, limits: Limits = DEFAULT_LIMITS, isolate: bool = True) -> None:
        self._limits, self._isolate = limits, isolate and SUPPORTED
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()  # None: may be started
        for _ in range(workers):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(queue.Empty):
            while True:
                if worker := self._idle.get_nowait():
                    worker.end()

    def decode(self, data: bytes, name: str) -> Picture:
        """Return the picture in `data`; see `load.decode_picture`, also for the errors."""
        if not self._isolate:
            return decode_picture(data, name, limits=self._limits)
        worker = self._idle.get()
        try:
            worker = worker if worker and worker.alive else _Worker()
            return worker.decode(data, name, self._limits)
        except OSError as error:
            step = "let this user run it, or pass --no-isolate" if isinstance(error, PermissionError) else "run again"
            raise PictureError(f"{shown(name)}: no process to decode it ({error}); {step}") from error
        finally:
            self._idle.put(worker if worker and worker.usable else None)


class _Worker:
    """One process, the socket to it and the memory shared with it. `usable` is False once it has failed."""

    def __init__(self) -> None:
        with ExitStack() as stack:
            mine, theirs = socket.socketpair()
            self._channel = stack.enter_context(mine)
            descriptor = stack.enter_context(new_descriptor())
            self._memory = SharedMemory(descriptor)
            with theirs:
                self._process = _start(theirs.fileno(), descriptor)
            self._open = stack.pop_all()
        self.usable = True

    @property
    def alive(self) -> bool:
        """Whether it waits for a request; an idle process may have been ended to get its memory."""
        if self._process.poll() is not None:
            self.end()
        return self.usable and self._process.returncode is None

    def decode(self, data: bytes, name: str, limits: Limits) -> Picture:
        """Return the picture in `data`. Raises PictureError, after which the process may be gone."""
        self.usable = False  # until it has answered
        self._channel.settimeout(_CLOCK_FACTOR * limits.max_seconds + _CLOCK_EXTRA)
        try:
            self._ask(data, name, limits)
            answer = self._answer()
        except TimeoutError:
            self.end()
            raise _too_slow(name, limits) from None
        except (OSError, ValueError, KeyError, TypeError, struct.error, EOFError) as error:
            raise self._lost(name, limits) from error
        except BaseException:
            self.end()
            raise
        self.usable = self._process.returncode is None
        if isinstance(answer, PictureError):
            raise answer
        return answer

    def _ask(self, data: bytes, name: str, limits: Limits) -> None:
        head = json.dumps({"name": name, "limits": asdict(limits)}).encode()
        self._channel.sendall(REQUEST.pack(len(head), len(data)) + head)
        self._channel.sendall(data)

    def _answer(self) -> Picture | PictureError:
        reply = self._channel.recv(REPLY.size, socket.MSG_WAITALL)
        if not reply:
            raise EOFError
        start, length = REPLY.unpack(reply)
        memory = self._memory.view()
        answer = json.loads(memory[start : start + length])
        if "error" not in answer and bytes_of_pixels(answer) > KEPT:
            del memory
            return self._take_memory(answer)
        found = error_of(answer) if "error" in answer else picture_of(answer, memory)
        del memory
        self._memory.shrink()
        return found

    def _take_memory(self, answer: dict[str, Any]) -> Picture:
        """Keep the pixels where they are, after ending the process, which could change them."""
        self._process.kill()
        self._process.wait()
        found = picture_of(answer, self._memory.view(), copy=False)
        self.end()
        return found

    def _lost(self, name: str, limits: Limits) -> PictureError:
        """Say why the process is gone; raise the PictureError of one that took too long, which has no other cause."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)  # so that its own exit status can be read
        self.end()
        number = -self._process.returncode
        if number == signal.SIGXCPU:
            raise _too_slow(name, limits) from None
        how = (
            f"was ended by {signal.Signals(number).name}"
            if number in set(signal.Signals)
            else "ended without an answer"
        )
        return PictureError(f"{shown(name)}: the process that decoded it {how}; exclude it or copy it again")

    def end(self) -> None:
        """End the process; it has nothing to clean up."""
        self._open.close()
        self._process.kill()
        self._process.wait()


def _start(channel: int, memory: int) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parents[2])  # an editable installation is not on the path
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-S", "-c", _START, str(channel), str(memory), root, *sys.path],
        pass_fds=(channel, memory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # decoders print warnings there
        env=os.environ | dict.fromkeys(_THREADS, "1"),
    )


def _too_slow(name: str, limits: Limits) -> PictureError:
    return PictureError(
        f"{shown(name)}: took more than {limits.max_seconds:g} s to decode; exclude it or raise --max-seconds"
    )
