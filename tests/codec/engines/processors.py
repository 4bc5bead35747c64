"""ncnn made to believe that it runs on an older x86 processor than it does.

It chooses its kernels by flags that it reads from the processor once, and has no switch for them. The functions that
answer what the processor supports stand one after the other in its library, each of them loads one flag and returns: so
they are found, and held against what the system says of the processor before any is changed. Linux only.

As a program: `python -m tests.codec.engines.processors MODEL PROCESSOR` prints the SHA-256 of what RecCNN restores, and
with `--speed` instead how many megapixels a second of one core's time (`tools/processor_speed.py` makes a table of it).
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import re
import struct
import sys
import time
from pathlib import Path

import numpy as np

from batchcomp.codec import weights
from batchcomp.codec.engines.graphs import BUILDERS
from batchcomp.codec.model import Model

# in the order of ncnn's src/cpu.cpp, by the names of /proc/cpuinfo
FLAGS = (
    *("avx", "fma", "xop", "fma4", "f16c", "avx2", "avx_vnni", "avx_vnni_int8", "avx_vnni_int16", "avx_ne_convert"),
    *("avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
)
AVX512 = FLAGS[10:]
LACKING = {  # by processor: what it has not
    "this one": (),
    "AVX-512 without VNNI": ("avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
    "AVX2 with VNNI": AVX512,
    "AVX2": (*FLAGS[6:10], *AVX512),
    "AVX": ("fma", "fma4", "f16c", "avx2", *FLAGS[6:10], *AVX512),
    "SSE2": FLAGS,
}
ACCESSOR = re.compile(rb"\x8b\x05(....)(?:\x48\x83\xc4.)?\xc3", re.DOTALL)  # mov eax, [rip + n]; add rsp, n; ret
APART = 96  # bytes between two of them at most
SIDE, TURNS = 512, 6  # of the tile that is timed, in restored pixels; the fastest turn counts


def flags() -> dict[str, ctypes.c_int]:
    """Ncnn's flags in this process, by name.

    Raises:
        LookupError: they are not where they were looked for.
    """
    import ncnn  # noqa: PLC0415

    ncnn.cpu_support_x86_avx2()  # it has read them then
    library = next(Path(ncnn.__file__).parent.glob("ncnn*.so"))
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines() if library.name in line]
    code = next(line for line in lines if "x" in line[1])
    start, offset = int(code[0].split("-")[0], 16), int(code[2], 16)
    runs: list[list[int]] = [[]]
    last = 0
    for found in ACCESSOR.finditer(library.read_bytes()):
        if found.start() - last > APART:
            runs.append([])
        last = found.start()
        runs[-1].append(start + last - offset + 6 + struct.unpack("<i", found[1])[0])
    supported = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    for addresses in runs:
        if len(addresses) >= len(FLAGS):
            answer = {
                name: ctypes.c_int.from_address(at) for name, at in zip(FLAGS, addresses[: len(FLAGS)], strict=True)
            }
            if all(bool(value.value) == (name in supported) for name, value in answer.items()):
                return answer
    raise LookupError("this build of ncnn keeps its flags elsewhere")


def imitate(processor: str) -> None:
    """Take the flags away that `processor`, of `LACKING`, has not; graphs loaded from now on have its kernels."""
    for name, value in flags().items():
        if name in LACKING[processor]:
            value.value = 0


def hashes(model: Model) -> None:
    """Restore noise, by both kinds of kernels, and print what it comes to.

    Raises:
        ValueError: ncnn computes anything else.
    """
    from batchcomp.codec.engines.ncnn import Ncnn  # noqa: PLC0415  (not on every platform)

    tile = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    for winograd in (False, True):
        engine = Ncnn(BUILDERS[model.family](model.rec), winograd=winograd)
        if not engine.is_right():
            raise ValueError("ncnn's kernels compute anything else")
        sys.stdout.write(f"{hashlib.sha256(engine.start(tile, [0.3]).tobytes()).hexdigest()}\n")


def speed(model: Model) -> float:
    """Megapixels a second that RecCNN restores with the kernels that are chosen.

    Raises:
        ValueError: ncnn has none for it.
    """
    from batchcomp.codec.engines.ncnn import ncnn_for  # noqa: PLC0415  (not on every platform)

    engine = ncnn_for(model.rec)
    if engine is None:
        raise ValueError("ncnn's kernels compute anything else")
    side = SIDE // model.arch.scale
    tile = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    taken = []
    for _ in range(TURNS):
        start = time.process_time()
        engine.start(tile, [0.3])
        taken.append(time.process_time() - start)
    return SIDE**2 / 1e6 / min(taken)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description="RecCNN on another processor.")
    parser.add_argument("model", type=Path)
    parser.add_argument("processor", choices=LACKING)
    parser.add_argument("--speed", action="store_true")
    asked = parser.parse_args()
    imitate(asked.processor)
    model = weights.load_file(asked.model)
    if asked.speed:
        sys.stdout.write(f"{speed(model):.1f}\n")
    else:
        hashes(model)


if __name__ == "__main__":
    main()
