"""Where decoding puts each picture, and which ones a pattern means."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.archive import Row
from batchcomp.archive.names import clash_key
from batchcomp.outputs import OUTPUTS
from batchcomp.pipeline.targets import format_of, payload_target, sameness, target_names
from tests.archive.samples import sample_row, verbatim_row


def rows(*paths: str) -> list[Row]:
    return [sample_row(path) for path in paths]


def test_the_suffix_changes_and_the_tree_stays() -> None:
    """A picture keeps its folder and its name and gets the new suffix."""
    assert target_names(rows("a/b.JPG", "c.tar.webp", "d"), "png") == {
        "a/b.JPG": "a/b.png",
        "c.tar.webp": "c.tar.png",
        "d": "d.png",
    }


def test_verbatim_pictures_keep_their_names() -> None:
    """Bytes stored as they were are restored under the name they had."""
    assert target_names([verbatim_row("a.gif")], "png") == {"a.gif": "a.gif"}


def test_two_that_would_meet_are_kept_apart() -> None:
    """`a.png` stays, `a.jpg` keeps its suffix before the new one."""
    assert target_names(rows("a.jpg", "a.png"), "png") == {"a.jpg": "a.jpg.png", "a.png": "a.png"}
    assert target_names(rows("a.jpg", "a.webp"), "png") == {"a.jpg": "a.jpg.png", "a.webp": "a.webp.png"}
    assert target_names([*rows("a.jpg"), verbatim_row("a.png")], "png")["a.jpg"] == "a.jpg.png"


def test_the_name_given_way_to_may_be_taken_too() -> None:
    """`a.jpg` finds a name of its own even beside `a.png` and `a.jpg.png`."""
    names = target_names(rows("a.jpg", "a.png", "a.jpg.png"), "png")
    assert names == {"a.jpg": "a.jpg.png.png", "a.png": "a.png", "a.jpg.png": "a.jpg.png"}


NAMES = st.sets(
    st.builds(
        lambda stem, suffixes: stem + "".join(suffixes),
        st.sampled_from(["a", "b", "d/a"]),
        st.lists(st.sampled_from([".jpg", ".png", ".PNG", ".webp"]), max_size=3),
    ),
    max_size=12,
)


@given(NAMES, st.sampled_from(["png", "jpeg", "webp"]), st.data())
def test_no_two_pictures_share_a_target(paths: set[str], kind: str, data: st.DataObject) -> None:
    """Targets differ, in any order of the rows, on a disk that ignores case too unless the sources do not."""
    paths = set({path.casefold(): path for path in paths}.values())
    kept = [data.draw(st.booleans()) for _ in paths]
    chosen = [verbatim_row(p) if keep else sample_row(p) for p, keep in zip(sorted(paths), kept, strict=True)]
    names = target_names(chosen, kind)
    assert len({name.casefold() for name in names.values()}) == len(paths)
    assert names == target_names(reversed(chosen), kind)
    assert all(name.endswith(OUTPUTS[kind].suffix) or keep for name, keep in zip(names.values(), kept, strict=True))
    assert all(PurePosixPath(path).parent == PurePosixPath(name).parent for path, name in names.items())


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("holiday.png.jpg", "holiday.png"),
        ("holiday.jpg", "holiday.png"),
        ("a.b.c.jpg", "a.b.c.png"),
        ("raw", "raw.png"),
        ("vers 1.5", "vers 1.5.png"),
        ("vers 1.5.jpg.bcp", "vers 1.5.png"),
    ],
)
def test_a_lone_payload_gets_its_pictures_name_back(name: str, target: str) -> None:
    """The payload's own suffix and the source's make way for the new one."""
    assert payload_target(name, ".png") == target


def test_pictures_with_alpha_become_png_where_the_format_has_no_alpha() -> None:
    """JPEG output would lose alpha, so that these pictures, and no others, get a PNG."""
    mixed = [sample_row("a.png", mode="RGBA"), sample_row("b.png"), sample_row("c.tif", mode="LA")]
    assert target_names(mixed, "jpeg") == {"a.png": "a.png", "b.png": "b.jpg", "c.tif": "c.png"}
    assert [format_of(row, "webp") for row in mixed] == ["webp"] * 3


COMPOSED, DECOMPOSED = "caf\u00e9.gif", "cafe\u0301.gif"


def test_names_that_the_disk_takes_for_one_get_numbers() -> None:
    """Where case or the way accents are written does not count, the first path keeps its name and all are restored."""
    kept = [verbatim_row(path) for path in ("d/A.gif", "d/a.gif", "d/a~2.gif", COMPOSED, DECOMPOSED)]
    assert target_names(kept, "png", same=clash_key) == {
        "d/A.gif": "d/A.gif",
        "d/a.gif": "d/a~3.gif",
        "d/a~2.gif": "d/a~2.gif",
        COMPOSED: "caf\u00e9~2.gif",
        DECOMPOSED: DECOMPOSED,
    }
    assert target_names(kept, "png") == {row.path: row.path for row in kept}


@given(
    st.sets(st.text("aA\u00e9e\u0301.", min_size=1, max_size=4).filter(lambda text: set(text) != {"."}), max_size=12)
)
def test_no_two_files_share_a_target_on_any_disk(paths: set[str]) -> None:
    """On a disk that knows neither case nor composition all verbatim files have names of their own, in any order."""
    kept = [verbatim_row(path) for path in sorted(paths)]
    names = target_names(kept, "png", same=clash_key)
    assert len({clash_key(name) for name in names.values()}) == len(paths)
    assert names == target_names(reversed(kept), "png", same=clash_key)


def test_the_disk_is_asked_what_it_tells_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This disk tells all apart; one that finds a file under its other spelling does not; no probe is left behind."""
    names = ("A", "a", "\u00e9", "e\u0301")
    exact = sameness(tmp_path / "not" / "yet")
    for name in names:
        (tmp_path / f"here{name}").touch()
    assert len({exact(name) for name in names}) == len(list(tmp_path.iterdir()))
    monkeypatch.setattr("batchcomp.pipeline.targets.os.path.lexists", lambda _: True)
    assert len({sameness(tmp_path)(name) for name in names}) == 2
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".batchcomp")]


def test_a_folder_that_cannot_be_written_to_is_taken_to_tell_all_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk is like cannot be found out then, and writing fails by itself."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "touch", refuse)
    assert sameness(Path("/"))("A") == "A"


def test_what_is_no_suffix_stays() -> None:
    """Only the suffix of a picture makes way for the new one."""
    paths = ["vers 1.5", "v1.5.jpg", "a.b.c", ".hidden", ".png", "x.JPEG", "d.1/y", "raw.CR2", "n%0Al", "a%5C.jpg"]
    assert list(target_names(rows(*paths), "png").values()) == [
        "vers 1.5.png", "v1.5.png", "a.b.c.png", ".hidden.png", ".png.png", "x.png", "d.1/y.png", "raw.png",
        "n%0Al.png", "a%5C.png",
    ]  # fmt: skip


def test_a_file_gives_way_to_a_folder() -> None:
    """`trip.jpg` cannot be `trip.png` beside a folder of that name; nor can a file that a folder took the place of."""
    assert target_names(rows("trip.jpg", "trip.png/a.png", "Trip.webp"), "png") == {
        "trip.jpg": "trip.jpg.png",
        "trip.png/a.png": "trip.png/a.png",
        "Trip.webp": "Trip.webp.png",
    }
    assert target_names([verbatim_row("x.gif"), *rows("x.gif/y/a.png", "x.gif~2")], "png") == {
        "x.gif": "x~2.gif",
        "x.gif/y/a.png": "x.gif/y/a.png",
        "x.gif~2": "x.gif~2.png",
    }
    assert target_names([verbatim_row("X.GIF"), *rows("x.gif/a.png")], "png", same=clash_key)["X.GIF"] == "X~2.GIF"


@pytest.mark.parametrize("letter", ["x", "ü", "日"])
def test_long_names_are_cut_alike_and_stay_apart(letter: str) -> None:
    """What would have more than 255 bytes with its new suffix is cut, and told apart by a hash of the whole."""
    stems = [letter * ((size - 1) // len(letter.encode())) + end for size in range(246, 255) for end in "ab"]
    paths = [*stems, *(f"folder/{stem[:-4]}.jpg" for stem in stems)]
    names = target_names(rows(*paths), "webp")
    assert len(set(names.values())) == len(set(paths))
    assert max(len(part.encode()) for name in names.values() for part in name.split("/")) in {254, 255}
    assert all(target_names(rows(path), "webp")[path] == names[path] for path in stems)
