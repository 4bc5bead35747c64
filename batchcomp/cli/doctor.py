"""`batchcomp doctor`."""

from __future__ import annotations

import platform
import sys

import typer

from batchcomp import __version__
from batchcomp.cli import console, session
from batchcomp.cli.config import default_file
from batchcomp.cli.options import JsonOpt
from batchcomp.errors import ExitCode, ModelError

MISSING = "missing"
PACKAGES = ("torch", "numpy", "joblib", "pytorch-msssim", "safetensors", "typer", "rich", "filelock")


def doctor(as_json: JsonOpt = False) -> None:
    """Say what batchcomp runs on. Versions, device, threads, image library, model."""
    facts, problem = _facts(), ""
    try:
        facts["model"] = _model()
    except ModelError as error:
        facts["model"] = problem = str(error)
    code = ExitCode.FATAL if problem else ExitCode.DONE
    if as_json:
        config = session.current().config
        console.json_line("doctor", **facts | {"config": str(config) if config else None}, packages=_packages())
        console.json_line("summary", exit_code=int(code), error=problem or None)
    else:
        _show({name.replace("_", " "): value for name, value in facts.items()} | _packages())
    raise typer.Exit(code)


def _show(facts: dict[str, str]) -> None:
    width = max(map(len, facts))
    for name, value in facts.items():
        console.write(console.shown(f"{name:<{width}}  {value}") + "\n")


def _facts() -> dict[str, str]:
    from PIL import features

    from batchcomp.codec.codec import choose_device
    from batchcomp.codec.identity import instructions
    from batchcomp.settings import available_cores

    device = str(choose_device("auto"))

    return {
        "batchcomp": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "device": device,
        "engine": _engine(device),
        "instructions": instructions(),
        "packing": _packing(),
        "threads": f"{available_cores()}, one a core",
        "image_library": f"{_image_library()}, libjpeg-turbo {features.version_feature('libjpeg_turbo')}",
        "config": _config(),
    }


def _engine(device: str) -> str:
    """What runs the networks, and what it costs where that is not the fastest."""
    from batchcomp.codec.engines.select import WITHOUT_NCNN, has_ncnn

    if device != "cpu":
        return f"torch {_version_of('torch')}"
    return f"ncnn {_version_of('ncnn')}" if has_ncnn() else f"torch {_version_of('torch')}; {WITHOUT_NCNN}"


def _packing() -> str:
    found = _version_of("constriction")
    return (
        "none: --pack and packed archives need it; run pip install constriction"
        if found == MISSING
        else (f"constriction {found}")
    )


def _packages() -> dict[str, str]:
    return {name: _version_of(name) for name in PACKAGES}


def _config() -> str:
    """Which configuration file was read."""
    config = session.current().config
    return str(config) if config else f"none; {default_file() or 'with a home directory, one in it'} would be read"


def _model() -> str:
    from batchcomp.codec.weights import load_shipped

    model = load_shipped()
    return f"{model.name}, sha256 {model.sha256}"


def _image_library() -> str:
    """Pillow or pillow-simd: both install the module PIL, the later one wins."""
    from batchcomp.images.provider import provider

    found = provider()
    return f"{found}{'' if found.safe else ' (lacks security fixes: asks for --trusted-input)'}"


def _version_of(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return MISSING
