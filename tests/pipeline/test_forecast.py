"""What a run has before it is counted ahead, and told apart from what is done, in whatever order both come."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.images.walk import Item
from batchcomp.pipeline.compress import plan_archive
from batchcomp.pipeline.forecast import Forecast
from batchcomp.pipeline.records import Outcome, tally
from batchcomp.settings import CompressSettings
from tests.cli import samples


def settings(tmp_path: Path) -> CompressSettings:
    """Return the settings of a run over three pictures of 1920 pixels and a text."""
    for name in ("a.png", "b.png", "sub/c.png"):
        samples.save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return CompressSettings(paths=(tmp_path / "photos",), archive=tmp_path / "photos.bca")


def counted(forecast: Forecast) -> Forecast:
    assert forecast._thread is not None
    forecast._thread.join()
    return forecast


def test_new_files_count_with_their_pixels_and_known_ones_without(tmp_path: Path) -> None:
    """Everything that the walk meets is a file; only what will be worked on has pixels."""
    with Forecast() as forecast:
        forecast.count(settings(tmp_path), lambda item: item.name == "b.png")
        counted(forecast)
        assert (forecast.complete, forecast.files, forecast.pixels) == (True, 4, 2 * 40 * 48)
        assert forecast.in_hand == "a.png"
        forecast.take("a.png")
        assert (forecast.in_hand, forecast.pixels_done) == ("notes.txt", 1920)


def test_what_is_only_named_is_a_file_too(tmp_path: Path) -> None:
    """A link that is not followed is one of the files that the run tells of, so that their number is never passed."""
    found = settings(tmp_path)
    (tmp_path / "photos" / "link.png").symlink_to("a.png")
    outcome = Outcome()
    with Forecast() as forecast:
        tally(plan_archive(found, forecast), lambda event: forecast.take(event.name), outcome)
        assert counted(forecast).files == outcome.counts.total() == 5


@pytest.mark.parametrize("early", [[], ["a.png"], ["sub/c.png", "a.png", "b.png", "notes.txt"]])
def test_what_is_done_before_it_is_counted_counts_once(tmp_path: Path, early: list[str]) -> None:
    """A run that is ahead of the count comes to the same end."""
    with Forecast() as forecast:
        for name in early:
            forecast.take(name)
        forecast.count(settings(tmp_path), lambda _: False)
        counted(forecast)
        for name in {"a.png", "b.png", "sub/c.png", "notes.txt"} - set(early):
            forecast.take(name)
        assert (forecast.pixels, forecast.pixels_done, forecast.in_hand) == (5760, 5760, "")


def test_the_count_ends_with_the_run(tmp_path: Path) -> None:
    """Leaving the context stops the thread, however many files there are still to count."""
    seen: list[str] = []

    def is_unchanged(item: Item) -> bool:
        seen.append(item.name)
        forecast._ended.set()
        return False

    with Forecast() as forecast:
        forecast.count(settings(tmp_path), is_unchanged)
        counted(forecast)
    assert seen == ["a.png"]
    assert not forecast.complete


def test_a_folder_that_is_missing_ends_the_count_quietly(tmp_path: Path) -> None:
    """The run itself says what is wrong."""
    with Forecast() as forecast:
        forecast.count(CompressSettings(paths=(tmp_path / "no",), archive=tmp_path / "no.bca"), lambda _: False)
        assert not counted(forecast).complete


def test_what_is_known_is_expected() -> None:
    """An archive's rows are all known at once."""
    forecast = Forecast()
    forecast.expect([("a", 10), ("b", 20)])
    forecast.take("b")
    assert (forecast.complete, forecast.files, forecast.pixels, forecast.pixels_done) == (True, 2, 30, 20)
