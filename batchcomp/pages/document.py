"""From a template and data to one HTML file: escaped, closed to the network, and never half written.

The page may run its own script and show its own pictures, and nothing else: its Content-Security-Policy names both by
their hash. Whatever a file is called reaches the page as JSON in a data block or through Jinja's escaping, and the
script writes it with `textContent` alone, to which Trusted Types hold it.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from batchcomp import __version__
from batchcomp.errors import FileError, UsageError
from batchcomp.images.names import shown
from batchcomp.images.save import write_result

MARK = '<meta name="generator" content="batchcomp'  # by which a page of ours is known
_HEAD_BYTES = 2000  # in which the mark stands
SUFFIXES = (".html", ".htm")
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def as_json(value: Any) -> Markup:
    """Return JSON that is safe inside a data block of a page: ASCII without a character that HTML reads."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for char, code in _UNSAFE.items():
        text = text.replace(char, code)
    return Markup(text)  # noqa: S704 - escaped just above


def render(template: str, *, scripts: Sequence[str], styles: Sequence[str] = ("style.css",), **context: Any) -> str:
    """Return the page of a template.

    Args:
        template: its name below `templates`.
        scripts: names below `assets`, in the order in which they run.
        styles: likewise.
        context: what the template shows; text is escaped.
    """
    return _rendered(template, scripts, styles, "img-src data:", context)[1]


def render_served(template: str, *, scripts: Sequence[str], styles: Sequence[str], **context: Any) -> tuple[str, str]:
    """Return the policy and the page of a template that may ask the server it came from, and nobody else.

    Args:
        template: see `render`.
        scripts: likewise.
        styles: likewise.
        context: likewise.
    """
    asks = "img-src 'self' data: blob:; connect-src 'self'"
    return _rendered(template, scripts, styles, asks, context)


def _rendered(
    template: str, scripts: Sequence[str], styles: Sequence[str], asks: str, context: dict[str, Any]
) -> tuple[str, str]:
    """Return the policy and the page; `asks` is what of the policy differs."""
    script, style = ("\n".join(map(_asset, names)) for names in (scripts, styles))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; {asks}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    found: str = (
        _environment()
        .get_template(template)
        .render(
            policy=policy,
            script=Markup(script),  # noqa: S704 - our own
            style=Markup(style),  # noqa: S704 - our own
            version=__version__,
            **context,
        )
    )
    return policy, found


def check_target(path: Path) -> None:
    """See to it that a page may be written to `path`.

    Raises:
        UsageError: the name is not that of a page, or there is another file or a folder of this name.
        FileError: this user may not look there, or the disk fails.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a page is an HTML file; name it NAME.html")
    try:
        if not path.exists():
            return
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except (IsADirectoryError, NotADirectoryError) as error:
        raise UsageError(f"{path}: {error.strerror}; choose another name") from error
    except OSError as error:
        kind = UsageError if error.errno == errno.ENAMETOOLONG else FileError
        raise kind(f"{path}: {error.strerror}; choose another name") from error
    if MARK.encode() not in head:
        raise UsageError(f"{path}: is there and is no page of batchcomp; choose another name, or move it away")


def write_page(path: Path, page: str) -> int:
    """Write a page, in place of an older one; return its bytes.

    Raises:
        UsageError: see `check_target`.
        FileError: the disk refuses.
    """
    check_target(path)
    data = page.encode()
    write_result(data, path, overwrite=True)
    return len(data)


def title_of(path: Path | str) -> str:
    """Return how a page calls a file or folder."""
    return shown(path)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("batchcomp.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


@cache
def _asset(name: str) -> str:
    return files("batchcomp.pages").joinpath("assets", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return a text's hash as a policy has it, which a browser compares with it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
