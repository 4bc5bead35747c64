"""What the shell offers at TAB."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchcomp.cli.completion import archives, listed
from tests.archive.samples import sample_row, write_archive

BATCHCOMP = [sys.executable, "-m", "batchcomp"]


def ask(folder: Path, shell: str, words: str) -> list[str]:
    """Ask for completions as the script of a shell does."""
    environment = {
        "_BATCHCOMP_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": words.replace(" ", "\n"),
        "COMP_CWORD": str(words.count(" ")),
    }
    done = subprocess.run(
        BATCHCOMP, env=os.environ | environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two archives, one of them further down, and other things."""
    for name in ("photos.bca", "sub/old.bca", "pictures"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file.bca").write_text("no folder")
    return tmp_path


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_shown(shell: str) -> None:
    """--show-completion prints a script that asks batchcomp."""
    environment = os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [*BATCHCOMP, "--show-completion", shell]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"_BATCHCOMP_COMPLETE=complete_{shell}" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_options_and_archives_are_offered(shell: str, folder: Path) -> None:
    """The same in every shell: commands, options with those of all commands, and archives."""
    assert any("compress" in line for line in ask(folder, shell, "batchcomp comp"))
    options = "\n".join(ask(folder, shell, "batchcomp compress --m"))
    assert "--max-load" in options
    assert "--measure" in options
    assert "--log-file" in "\n".join(ask(folder, shell, "batchcomp list --log"))
    assert "photos.bca" in "\n".join(ask(folder, shell, "batchcomp report pho"))
    assert "photos.bca" in "\n".join(ask(folder, shell, "batchcomp compress -o ph"))


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
def test_bash_completes(folder: Path, tmp_path: Path) -> None:
    """The script works in a real bash: a word becomes the archive."""
    program = tmp_path / "bin" / "batchcomp"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m batchcomp "$@"\n')
    program.chmod(0o755)
    script = """
    eval "$(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION=1 batchcomp --show-completion bash)"
    COMP_WORDS=(batchcomp verify sub/o) COMP_CWORD=2
    _batchcomp_completion batchcomp
    echo "${COMPREPLY[@]}"
    """
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    command = ["bash", "--norc", "-c", script]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "sub/old.bca\n", done.stderr


def test_archives_keep_what_was_typed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offers begin with the word as it was typed; files and other folders are left to the shell."""
    monkeypatch.chdir(folder)
    assert archives("") == ["photos.bca"]
    assert archives("./p") == ["./photos.bca"]
    assert archives(f"{folder}/sub/") == [f"{folder}/sub/old.bca"]
    assert archives("nowhere/x") == []
    assert archives("x") == []


@pytest.mark.parametrize("name", ["$(touch pwned).bca", "a;b.bca", "a'b.bca", "a\nb.bca", "a b.bca", "`id`.bca"])
def test_what_a_shell_could_run_is_not_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Zsh evaluates what it is offered, so only harmless names are."""
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert archives("") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("batchcomp compress x --model ", ["default", "fast", "jiang2017"]),
        ("batchcomp compress x --codec a", ["avif"]),
        ("batchcomp compress x --device c", ["cpu", "cuda"]),
        ("batchcomp decode x --format jp", ["jpeg"]),
        ("batchcomp report --format ", ["csv", "json", "table"]),
        ("batchcomp report --sort s", ["saved", "size", "source"]),
        ("batchcomp bench curves x --rivals jpeg,w", ["jpeg,webp"]),
        ("batchcomp list trip.bca ", ["2023/", "2024/", "top.png"]),
        ("batchcomp list trip.bca 2024/", ["2024/a.png", "2024/sub/"]),
        ("batchcomp list trip.bca 2024/s", ["2024/sub/"]),
        ("batchcomp decode trip.bca 2024/sub/", ["2024/sub/b.png"]),
        ("batchcomp unpack trip.bca t", ["top.png"]),
        ("batchcomp report trip.bca --history to", ["top.png"]),
        ("batchcomp report --history to", ["top.png"]),
        ("batchcomp list nowhere.bca ", []),
    ],
)
def test_values_are_offered(tmp_path: Path, words: str, expected: list[str]) -> None:
    """Names of models, formats, columns and codecs; and the paths in the archive, a folder at a time."""
    paths = ("top.png", "2023/a.png", "2024/a.png", "2024/sub/b.png", "$(touch pwned).png")
    write_archive(tmp_path / "trip.bca", [(sample_row(path), b"data") for path in paths])
    assert sorted(filter(None, ask(tmp_path, "bash", words))) == expected


def test_a_damaged_archive_is_no_error_at_tab(tmp_path: Path) -> None:
    """Nothing is offered, and nothing is said."""
    (tmp_path / "bad.bca").mkdir()
    (tmp_path / "bad.bca" / "000001.zip").write_bytes(b"no zip")
    assert ask(tmp_path, "bash", "batchcomp list bad.bca ") == [""]


def test_lists_are_completed_word_by_word() -> None:
    """What is named already is not offered again."""
    offer = listed(lambda: ("jpeg", "webp", "avif"))
    assert offer("") == ["jpeg", "webp", "avif"]
    assert offer("jpeg,") == ["jpeg,webp", "jpeg,avif"]
    assert offer("jpeg,avif,w") == ["jpeg,avif,webp"]
