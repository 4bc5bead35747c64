"""Errors cross the border between processes as they are: a worker's message is the one that is told."""

from __future__ import annotations

import pickle

import pytest

from batchcomp import errors
from batchcomp.archive.damage import Damage, FoundDamageError

PLAIN = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BatchcompError)]


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.__name__)
def test_every_error_is_pickled_whole(kind: type[errors.BatchcompError]) -> None:
    """Type, message, notes and exit code are the same on the other side."""
    error = kind("the value: the reason; the next step")
    error.add_note("a note")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), again.exit_code) == (kind, str(error), error.exit_code)
    assert again.__notes__ == ["a note"]


def test_damage_is_not_told_twice() -> None:
    """The record goes along, and the message is made of it once."""
    error = FoundDamageError(Damage(segment="000001.zip", entry="a.png.jpg", reason="the payload is damaged"))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert str(again) == str(error)
    assert str(again).count("run `batchcomp verify`") == 1
    assert again.damage == error.damage


def test_why_a_picture_is_stored_as_it_is_goes_along() -> None:
    """The feature alone is what manifests note."""
    error = errors.UnsupportedPictureError("a.png: has an alpha channel; it is stored as it is", reason="alpha")
    assert pickle.loads(pickle.dumps(error)).reason == "alpha"  # noqa: S301
