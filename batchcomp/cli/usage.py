"""What is said of wrong words on the command line: the value, what is expected, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from batchcomp.errors import UsageError

_ASKED = {"int": "a whole number", "float": "a number", "bool": "true or false"}


def refuse_empty(words: Sequence[str]) -> None:
    """Refuse an argument without a character: it would mean this folder, or nothing, where a variable is not set.

    Raises:
        UsageError: one is empty.
    """
    before = ""
    for word in words:
        name, sign, value = word.partition("=")
        if not word:
            what = f"{before}: its value" if before.startswith("-") and before != "--" else "an argument"
            raise UsageError(f"{what} is empty; is a variable not set? This folder is called .")
        if word.startswith("--") and sign and not value:
            raise UsageError(f"{name}: its value is empty; is a variable not set?")
        before = word


def plain_reason(error: Any, *, with_value: bool = True) -> str:
    """Return the message of a wrong value (`typer.BadParameter`): the value, and what is expected instead."""
    parameter, found = getattr(error, "param", None), getattr(error.__cause__, "errors", None)
    asked = _ASKED.get(getattr(_type_of(parameter), "__name__", ""))
    if found is None or asked is None:
        return str(error.message)
    value = f"{found()[0]['input']!r}: " if with_value else ""
    return f"{value}expected {asked}{_range(parameter)}"


def _type_of(parameter: Any) -> Any:
    descriptor = getattr(parameter, "type_descriptor", None)
    return getattr(descriptor, "annotation", None)


def _range(parameter: Any) -> str:
    least, most = getattr(parameter, "min", None), getattr(parameter, "max", None)
    if least is not None and most is not None:
        return f" from {least} to {most}"
    return f" from {least} on" if least is not None else f" up to {most}" if most is not None else ""
