"""Pictures are decoded in processes that a bad file can end, and nothing else with them."""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp.errors import NotAPictureError, PictureError, UnsupportedPictureError
from batchcomp.images import isolated
from batchcomp.images.isolated import SUPPORTED, Decoders
from batchcomp.images.load import decode_picture
from batchcomp.settings import Limits

from .make import encoded, exif, image, noise, png, with_segment

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="this system has no such processes")
PHOTO = encoded(image(), "JPEG")


def the_one(decoders: Decoders) -> isolated._Worker:
    """Return the process that is idle."""
    (worker,) = [worker for worker in decoders._idle.queue if worker is not None]
    return worker


def rich_picture() -> bytes:
    """Return a JPEG with all kinds of metadata."""
    data = encoded(
        image(),
        "JPEG",
        exif=b"Exif\0\0" + exif(6),
        icc_profile=b"p" * 70_000,
        xmp=b"<x/>",
        dpi=(300, 72),
        comment=b"hi",
    )
    return with_segment(data, 0xED, b"Photoshop 3.0\0rest") + b"trailing"


@pytest.mark.parametrize(
    "data",
    [
        PHOTO,
        rich_picture(),
        encoded(image("L", (641, 479)), "PNG"),
        encoded(Image.fromarray(noise(9, 7, 4)), "PNG"),
        png((1, 1), 8, 2, bytes(4), [(b"tEXt", b"Author\0me"), (b"tIME", bytes(7))]),
        encoded(Image.fromarray(noise(1500, 1500)), "BMP"),
    ],
    ids=["photo", "metadata", "grey", "alpha", "texts", "larger than the memory before"],
)
def test_what_comes_back_is_what_decoding_here_gives(data: bytes) -> None:
    """Pixels and all metadata are the same, and the pixels may be written to."""
    with Decoders(1) as decoders:
        decoders.decode(PHOTO, "first.jpg")
        found, expected = decoders.decode(data, "a.img"), decode_picture(data, "a.img")
    assert found.metadata == expected.metadata
    assert np.array_equal(found.pixels, expected.pixels)
    assert found.pixels.flags.writeable


def test_a_large_picture_keeps_the_memory_it_was_decoded_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not copied: its process is ended before anybody looks at it, and the next picture gets a new one."""
    monkeypatch.setattr(isolated, "KEPT", 40 * 30 * 3 - 1)
    with Decoders(1) as decoders:
        first = decoders.decode(rich_picture(), "a.jpg")
        assert decoders._idle.queue == [None]
        second = decoders.decode(encoded(Image.new("RGB", (50, 40), "white"), "PNG"), "b.png")
    expected = decode_picture(rich_picture(), "a.jpg")
    assert first.metadata == expected.metadata
    assert np.array_equal(first.pixels, expected.pixels)
    assert first.pixels.flags.writeable
    assert second.pixels.min() == 255


@pytest.mark.skipif(not hasattr(mmap, "MADV_REMOVE"), reason="this system gives nothing back in part")
def test_a_large_picture_gives_its_first_rows_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are gone, and the rows behind them, to the page, are as they were; a copied picture keeps all."""
    data = encoded(Image.new("RGB", (50, 400), "white"), "PNG")
    with Decoders(1) as decoders:
        small = decoders.decode(data, "a.png")
        small.give_back(400)
        assert small.pixels.min() == 255
        monkeypatch.setattr(isolated, "KEPT", 1000)
        large = decoders.decode(data, "a.png")
    large.give_back(300)
    whole = 300 * 150 // mmap.PAGESIZE * mmap.PAGESIZE
    assert large.pixels.reshape(-1)[:whole].max() == 0
    assert large.pixels.reshape(-1)[whole:].min() == 255


def test_a_picture_stays_as_it_is_when_the_next_one_comes() -> None:
    """The memory is used again; what was handed out is not."""
    black, white = (encoded(Image.new("RGB", (50, 40), colour), "PNG") for colour in ("black", "white"))
    with Decoders(1) as decoders:
        first = decoders.decode(black, "a")
        decoders.decode(white, "b")
        assert first.pixels.max() == 0


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"text", "notes.txt", NotAPictureError),
        (PHOTO[:-300], "a.jpg", PictureError),
        (encoded(image("P"), "PNG"), "a.png", UnsupportedPictureError),
    ],
)
def test_errors_are_those_of_decoding_here(data: bytes, name: str, kind: type[PictureError]) -> None:
    """Type, message and reason pass through, and the process serves on."""
    with pytest.raises(PictureError) as expected:
        decode_picture(data, name)
    with Decoders(1) as decoders:
        with pytest.raises(PictureError) as found:
            decoders.decode(data, name)
        assert type(found.value) is type(expected.value) is kind
        assert str(found.value) == str(expected.value)
        assert getattr(found.value, "reason", "") == getattr(expected.value, "reason", "")
        assert decoders.decode(PHOTO, "a.jpg").width == 40


def test_too_much_memory_fails_that_picture_only() -> None:
    """A flat picture of 400 megapixels is 1 MB on disk and gigabytes in memory: the limit stops it, not the system."""
    flat = encoded(Image.new("L", (20_000, 20_000)), "PNG")
    with Decoders(1, limits=Limits(max_memory=600_000_000)) as decoders:
        with pytest.raises(PictureError, match="not enough memory to decode it"):
            decoders.decode(flat, "flat.png")
        assert decoders.decode(PHOTO, "a.jpg").width == 40


def test_too_much_computing_fails_that_picture_only() -> None:
    """The operating system ends a process that computes for longer than it may; the next picture gets a new one."""
    slow = encoded(Image.new("RGB", (12_000, 12_000)), "PNG")  # seconds to decode, and limits are whole seconds
    with Decoders(1, limits=Limits(max_seconds=0.01)) as decoders:
        with pytest.raises(PictureError, match=r"took more than 0.01 s to decode; exclude it or raise --max-seconds"):
            decoders.decode(slow, "slow")
        assert decoders.decode(PHOTO, "a.jpg").width == 40


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped as by a debugger it computes nothing and answers nothing: the clock ends the wait."""
    with Decoders(1) as decoders:
        decoders.decode(PHOTO, "a.jpg")
        monkeypatch.setattr(isolated, "_CLOCK_FACTOR", 0)
        monkeypatch.setattr(isolated, "_CLOCK_EXTRA", 0.3)
        os.kill(the_one(decoders)._process.pid, signal.SIGSTOP)
        with pytest.raises(PictureError, match="took more than"):
            decoders.decode(PHOTO, "b.jpg")
        monkeypatch.undo()
        assert decoders.decode(PHOTO, "c.jpg").width == 40


def test_a_process_that_dies_fails_only_the_picture_in_hand() -> None:
    """The message says how it died; the other process and the next picture know nothing of it."""
    with Decoders(2) as decoders:
        decoders.decode(PHOTO, "a.jpg")
        worker = the_one(decoders)
        os.kill(worker._process.pid, signal.SIGSTOP)
        threading.Timer(0.3, worker._process.send_signal, [signal.SIGKILL]).start()
        with pytest.raises(PictureError, match=r"b.jpg: the process that decoded it was ended by SIGKILL"):
            decoders.decode(PHOTO, "b.jpg")
        with ThreadPoolExecutor(2) as pool:
            assert {picture.width for picture in pool.map(lambda _: decoders.decode(PHOTO, "c.jpg"), range(10))} == {40}


def test_a_process_that_died_while_idle_costs_no_picture() -> None:
    """It is noticed before the next picture is entrusted to it."""
    with Decoders(1) as decoders:
        decoders.decode(PHOTO, "a.jpg")
        process = the_one(decoders)._process
        process.kill()
        process.wait()
        assert decoders.decode(PHOTO, "b.jpg").width == 40


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_for_the_run_do_not_end_its_processes(number: signal.Signals) -> None:
    """Ctrl-C reaches every process of the terminal, yet the pictures in hand are finished."""
    with Decoders(1) as decoders:
        decoders.decode(PHOTO, "a.jpg")
        pid = the_one(decoders)._process.pid
        os.kill(pid, number)
        time.sleep(0.05)
        assert decoders.decode(PHOTO, "b.jpg").width == 40
        assert the_one(decoders)._process.pid == pid


def test_no_process_is_left_at_the_end_and_none_is_started_in_vain() -> None:
    """Each starts with the first picture that needs it and is gone with the run."""
    with Decoders(4) as decoders:
        assert [worker for worker in decoders._idle.queue if worker] == []
        decoders.decode(PHOTO, "a.jpg")
        process = the_one(decoders)._process
    assert process.poll() is not None


def test_more_threads_than_processes_wait_for_another() -> None:
    """Twelve threads share two processes; every answer belongs to its question."""
    files = {size: encoded(image(size=(size, 10)), "PNG") for size in range(1, 61)}
    with Decoders(2) as decoders, ThreadPoolExecutor(12) as pool:
        answers = pool.map(lambda size: decoders.decode(files[size], "a").width, files)
        assert list(answers) == list(files)
        assert decoders._idle.qsize() == 2


def test_without_isolation_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--no-isolate` decodes in this process."""
    monkeypatch.setattr(isolated, "_start", None)
    with Decoders(1, isolate=False) as decoders:
        assert decoders.decode(PHOTO, "a.jpg").width == 40


def test_memory_of_a_large_picture_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a picture larger than what is kept, the shared memory shrinks again."""
    monkeypatch.setattr("batchcomp.images.shared_memory.LEFT", 1 << 20)
    with Decoders(1) as decoders:
        assert decoders.decode(encoded(image(size=(1500, 1000)), "BMP"), "a.bmp").width == 1500
        assert os.fstat(the_one(decoders)._memory._descriptor).st_size == 1 << 20
        assert decoders.decode(encoded(image(size=(1200, 1000)), "BMP"), "b.bmp").width == 1200


def test_the_process_starts_without_torch(tmp_path: Path) -> None:
    """What a process imports is small, so that many start in a moment; no program of the user's runs in it."""
    code = "import sys, json, batchcomp.images.decoder; print(json.dumps(sorted(sys.modules)))"
    import subprocess  # noqa: PLC0415 - one test needs it

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path)
    loaded = set(json.loads(done.stdout))
    assert not {"torch", "joblib", "typer", "rich", "safetensors"} & loaded


def test_nonsense_from_a_process_is_an_error_of_the_picture() -> None:
    """Answers are distrusted: sizes beyond the memory, or no JSON, end the process and fail the picture."""
    with Decoders(1) as decoders:
        decoders.decode(PHOTO, "a.jpg")
        worker = the_one(decoders)
        worker._channel.close()
        ours, theirs = isolated.socket.socketpair()
        worker._channel = ours
        worker._open.callback(ours.close)
        with theirs:
            theirs.sendall(isolated.REPLY.pack(1 << 40, 1 << 40))
            with pytest.raises(PictureError, match=r"b.jpg: the process that decoded it"):
                decoders.decode(PHOTO, "b.jpg")
        assert decoders.decode(PHOTO, "c.jpg").width == 40


def test_limits_reach_the_process() -> None:
    """Ceilings are those of the settings, not defaults."""
    limits = replace(Limits(), max_pixels=1199)
    with Decoders(1, limits=limits) as decoders, pytest.raises(PictureError, match="exceed the limit"):
        decoders.decode(PHOTO, "a.jpg")
