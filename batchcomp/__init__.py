"""batchcomp: archive folders of photos as standard JPEGs that two small neural networks make better.

The public API; each name is loaded when it is first used, so that `import batchcomp` takes no time:

    import batchcomp

    outcome = batchcomp.compress("photos", quality=55)  # -> photos.bca
    with batchcomp.Archive.open("photos.bca") as archive:
        for picture in archive:
            print(picture.path, picture.row.ms_ssim, picture.pixels().shape)
    batchcomp.decode("photos.bca", "restored")

`import batchcomp.pillow` makes Pillow open payloads as the pictures they restore to.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batchcomp.api import Archive, ArchivedPicture, ArchivedVersion, compress, decode
    from batchcomp.archive.rows import Row
    from batchcomp.codec.codec import Codec
    from batchcomp.errors import (
        ArchiveDamagedError,
        ArchiveError,
        ArchiveLockedError,
        ArchiveNotFoundError,
        BatchcompError,
        ModelError,
        PayloadError,
        PictureError,
        UsageError,
    )
    from batchcomp.images.picture import Metadata, Picture
    from batchcomp.pipeline.records import Done, Failed, Outcome, Passed
    from batchcomp.settings import CompressSettings, DecodeSettings, Limits, Target

__version__ = "0.1.0"

__all__ = [  # each is found in `_HOMES`
    "Archive",
    "ArchiveDamagedError",
    "ArchiveError",
    "ArchiveLockedError",
    "ArchiveNotFoundError",
    "ArchivedPicture",
    "ArchivedVersion",
    "BatchcompError",
    "Codec",
    "CompressSettings",
    "DecodeSettings",
    "Done",
    "Failed",
    "Limits",
    "Metadata",
    "ModelError",
    "Outcome",
    "Passed",
    "PayloadError",
    "Picture",
    "PictureError",
    "Row",
    "Target",
    "UsageError",
    "compress",
    "decode",
]

_HOMES = {
    "api": ("Archive", "ArchivedPicture", "ArchivedVersion", "compress", "decode"),
    "archive.rows": ("Row",),
    "codec.codec": ("Codec",),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
    "images.picture": ("Metadata", "Picture"),
    "pipeline.records": ("Done", "Failed", "Outcome", "Passed"),
    "settings": ("CompressSettings", "DecodeSettings", "Limits", "Target"),
}
_HOME_OF = {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
