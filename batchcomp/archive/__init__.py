"""The archive format: a folder of immutable ZIP segments. Knows bytes, not pixels; specified in docs/format.md."""

from batchcomp.archive.damage import Damage, FoundDamageError
from batchcomp.archive.history import Version, read_versions, view_at
from batchcomp.archive.parity import Standing, standing
from batchcomp.archive.prune import PruneReport, prune
from batchcomp.archive.reader import ArchiveReader
from batchcomp.archive.repair import RepairReport, repair
from batchcomp.archive.retention import Keep
from batchcomp.archive.rows import JpegComparison, Row
from batchcomp.archive.verify import VerifyReport, verify
from batchcomp.archive.writer import ArchiveWriter

__all__ = [
    "ArchiveReader",
    "ArchiveWriter",
    "Damage",
    "FoundDamageError",
    "JpegComparison",
    "Keep",
    "PruneReport",
    "RepairReport",
    "Row",
    "Standing",
    "VerifyReport",
    "Version",
    "prune",
    "read_versions",
    "repair",
    "standing",
    "verify",
    "view_at",
]
