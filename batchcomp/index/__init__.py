"""What an archive holds, in a database in the user's cache: derived from the manifests, and made again whenever needed.

Nothing in it is believed over a manifest: a segment is taken in by its number, size and identity, and again once any of
them differs. What is damaged is looked at anew every time.
"""

from batchcomp.index.archive_index import ArchiveIndex
from batchcomp.index.conditions import Condition

__all__ = ["ArchiveIndex", "Condition"]
