"""A disk that loses what nobody waited for: the worst that a power failure may leave behind.

POSIX promises the bytes of a file after fsync of it, and the names in a folder after fsync of that. All else may or
may not be there, so each crash is looked at in two ways: names on the disk only as far as they were waited for, and
all names there yet with the bytes that were waited for only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from batchcomp.archive.durable import Step


@dataclass
class _File:
    data: bytes = b""
    safe: bytes = b""


@dataclass
class Disk:
    """The files below one folder, replayed from the steps that a run made."""

    folder: Path
    names: dict[Path, _File] = field(default_factory=dict)
    safe_names: dict[Path, _File] = field(default_factory=dict)

    @staticmethod
    def of(folder: Path) -> Disk:
        """Return a disk that holds safely what is in a folder now."""
        paths = [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
        files = {path: _File(data, data) for path in paths for data in [path.read_bytes()]}
        return Disk(folder, dict(files), dict(files))

    def make(self, step: Step) -> None:
        """Make one step."""
        match step.kind:
            case "create":
                self.names[step.path] = _File()
            case "write":
                self.names[step.path].data += step.data
            case "cut":
                self.names[step.path].data = self.names[step.path].data[: step.size]
            case "sync_file":
                self.names[step.path].safe = self.names[step.path].data
            case "sync_folder":
                self._sync(step.path)
            case "link":
                assert step.other
                self.names[step.other] = self.names[step.path]
            case "replace" | "rename":
                assert step.other
                self.names[step.other] = self.names.pop(step.path)
            case "remove":
                self.names.pop(step.path, None)
            case kind:
                assert kind in {"make_folder", "set_mode"}

    def _sync(self, folder: Path) -> None:
        here = {path: file for path, file in self.names.items() if path.parent == folder}
        others = {path: file for path, file in self.safe_names.items() if path.parent != folder}
        self.safe_names = {**others, **here}

    def after_power_failure(self, folder: Path, *, names_first: bool) -> None:
        """Write what is left to another folder."""
        folder.mkdir(parents=True)
        for path, file in (self.names if names_first else self.safe_names).items():
            after = folder / path.relative_to(self.folder)
            after.parent.mkdir(exist_ok=True)
            after.write_bytes(file.safe)
