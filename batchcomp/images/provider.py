"""Which library provides the module PIL: Pillow, or its faster fork pillow-simd.

Both install the same module, and the one installed later wins: pip silently overwrites `pillow-simd` when a
package needs `pillow`. The fork follows Pillow's releases late. Pillow 12.2 to 13.0 fixed critical security holes in
decoders; older code decodes pictures only where they are declared trusted (`--trusted-input`). No
decoder is loaded to tell: every command asks before it says its first line.
"""

from __future__ import annotations

from dataclasses import dataclass

import PIL

from batchcomp.errors import UsageError

SAFE = 13  # first major version of Pillow whose decoders have all known holes closed


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A library that provides PIL, with its version as it gives it, such as 12.1.1.post0."""

    name: str
    version: str

    @property
    def safe(self) -> bool:
        """Whether its decoders may be given untrusted files."""
        major = self.version.partition(".")[0]
        return major.isdecimal() and int(major) >= SAFE

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def provider() -> Provider:
    """Return what provides PIL here; only pillow-simd numbers its releases with `.post`."""
    version = PIL.__version__
    return Provider(name="pillow-simd" if ".post" in version else "Pillow", version=version)


def check_provider(*, trusted: bool) -> None:
    """Refuse to decode untrusted pictures with a Pillow that has known security holes.

    Raises:
        UsageError: PIL is older than Pillow 13 and the input was not declared trusted.
    """
    found = provider()
    if not (found.safe or trusted):
        raise UsageError(
            f"{found}: its decoders lack security fixes of Pillow {SAFE}; install pillow>={SAFE}, or pass "
            "--trusted-input if all pictures come from sources that you trust"
        )
