"""How batchcomp stands beside other codecs: curves, BD-rate, guards, speed. Needs the `[bench]` extra."""

from __future__ import annotations

from importlib.util import find_spec

from batchcomp.errors import UsageError

PACKAGES = ("bjontegaard", "imagecodecs", "matplotlib", "scipy", "skimage", "ssimulacra2")


def check_packages(names: tuple[str, ...] = PACKAGES) -> None:
    """Look for the packages of the `[bench]` extra without importing them.

    Raises:
        UsageError: Some are missing.
    """
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise UsageError(f"the benchmark needs {', '.join(missing)}: run pip install 'batchcomp[bench]'")


check_packages()
