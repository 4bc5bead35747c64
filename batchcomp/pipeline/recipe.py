"""How a file was stored, as far as that decides whether the archive holds it as it is asked for now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from batchcomp.archive.rows import Row
from batchcomp.kinds import COMPACT
from batchcomp.settings import TARGETS, CompressSettings

VERBATIM_LARGER = "compressed it would be larger"  # and at which quality; that makes it worth another try


FIELDS = ("stored", "reason", "quality", "model", "ms_ssim", "recipe")


class Recipe(NamedTuple):
    """What `stale` looks at; few values serve all rows of an archive."""

    stored: str
    larger: str  # the reason, where the file was stored verbatim since compressed it would be larger
    quality: float
    model: str
    measured: bool
    recipe: str


def recipe_of(row: Row) -> Recipe:
    """Return what a row says of this."""
    return recipe_from({name: getattr(row, name) for name in FIELDS})


def recipe_from(row: Mapping[str, Any]) -> Recipe:
    """Return what the fields of a row say of this. Raises KeyError or TypeError where one is missing or no such thing.

    It does without a Row, which takes ten times as long to make: an archive may hold 100,000.
    """
    larger = row["reason"] if row["reason"].startswith(VERBATIM_LARGER) else ""
    return Recipe(
        row["stored"], larger, row["quality"], row["model"], row["ms_ssim"] is not None, row.get("recipe", "")
    )


def described(recipe: Recipe, reason: str) -> str:
    """Say with what a file is stored; `reason` is that of `stale`."""
    if recipe.stored == "verbatim":
        how = [recipe.larger.removeprefix(f"{VERBATIM_LARGER} at ")]
    else:
        how = [] if recipe.recipe.startswith(tuple(TARGETS)) else [f"quality {recipe.quality:g}"]
        how += [recipe.recipe]
    how += [f"model {recipe.model[:8]}"] if reason == "other model" else []
    how += ["no measurement"] if reason == "not measured yet" else []
    return ", ".join(filter(None, how))


def stale(recipe: Recipe, settings: CompressSettings, models: Collection[str]) -> str:
    """Say in what a file whose content is the same is not stored as asked for; "" where it is.

    That alone is no reason to store it anew: only `settings.recompress` makes it one.
    """
    reasons = {
        "other quality": recipe.stored != "verbatim" and not settings.target and recipe.quality != settings.quality,
        "asked for otherwise": recipe.stored != "verbatim" and recipe.recipe != settings.recipe,
        "other model": recipe.model not in {"", *models},  # of a fallback: the model that was tried
        "other quality or model": bool(recipe.larger) and recipe.larger != larger_with(settings),
        "not measured yet": settings.measured and recipe.stored in COMPACT and not recipe.measured,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def larger_with(settings: CompressSettings) -> str:
    """Why a picture is stored verbatim whose payload would be larger."""
    how = [settings.recipe] if settings.target else [f"quality {settings.quality}", settings.recipe]
    return f"{VERBATIM_LARGER} at {', '.join(part for part in how if part)}"
