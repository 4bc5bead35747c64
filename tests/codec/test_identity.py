"""What restored pixels, in words."""

from __future__ import annotations

import pytest

from batchcomp.codec import identity
from batchcomp.codec.device import Device


@pytest.mark.parametrize(
    ("features", "found"),
    [
        ({"AVX512F": True, "AVX2": True}, "AVX-512"),
        ({"AVX512F": False, "AVX2": True}, "AVX2"),
        ({"NEON": True}, "NEON"),
        ({}, "none"),
    ],
)
def test_the_widest_instructions_count(monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], found: str) -> None:
    """Kernels are chosen by them, and kernels round differently."""
    monkeypatch.setattr(identity, "_features", lambda: features)
    assert identity.instructions() == found


def test_an_engine_is_named_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engine, version, processor, JPEG decoder, and nothing that changes no pixel."""
    monkeypatch.setattr(identity, "_version", lambda package: {"ncnn": "1.0", "torch": "2.0"}[package])
    monkeypatch.setattr(identity, "_processor", lambda _: "x86_64 AVX2")
    monkeypatch.setattr(identity, "jpeg_decoder", lambda: "libjpeg-turbo 3.2")
    cpu = Device("cpu")
    assert identity.identity("ncnn, Winograd", cpu) == "ncnn 1.0, Winograd, x86_64 AVX2, libjpeg-turbo 3.2"
    assert identity.identity("torch", cpu) == "torch 2.0, x86_64 AVX2, libjpeg-turbo 3.2"
