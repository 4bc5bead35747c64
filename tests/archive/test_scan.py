"""What is intact is found by its bytes alone."""

from __future__ import annotations

from pathlib import Path

from batchcomp.archive.scan import broken_shares, find_entries, find_lines


def view(path: Path, old: bytes = b"", new: bytes = b"") -> memoryview:
    """Return the bytes of a file, the first occurrence of `old` replaced."""
    return memoryview(path.read_bytes().replace(old, new, 1) if old else path.read_bytes())


def test_local_headers_lead_to_every_picture(segment: Path) -> None:
    """Names, places and checksums are found without manifest and directory."""
    data = view(segment)
    found, end = find_entries(data)
    assert [one.name for one in found] == ["photos/a.png.jpg", "photos/ü 1.tif", "b.jpg.jpg"]
    assert all(one.sound for one in found)
    assert bytes(data[found[1].start : found[1].end]) == b"second payload" * 10
    assert end == found[-1].end


def test_a_broken_header_hides_only_its_own_picture(segment: Path) -> None:
    """The search goes on at the next signature."""
    found, _ = find_entries(view(segment, b"photos/\xc3\xbc 1.tif", b"photos/\xff\xff 1.tif"))
    assert [one.name for one in found] == ["photos/a.png.jpg", "b.jpg.jpg"]


def test_a_broken_payload_is_found_and_not_sound(segment: Path) -> None:
    """Its header still says which picture was lost."""
    found, _ = find_entries(view(segment, b"first payload", b"first PAYLOAD"))
    assert [one.sound for one in found] == [False, True, True]


def test_rows_are_trusted_by_their_own_checksum(segment: Path) -> None:
    """A changed row is left out, the others are found wherever they lie."""
    data = view(segment, b'"width":768', b'"width":769')
    assert len(list(find_lines(data, 0))) == 2


def test_a_broken_shared_row_is_known_by_its_field(sharing: Path) -> None:
    """Such a row has no entry that could be found; only its path can be reported."""
    path = sharing / "000002.zip"
    assert list(broken_shares(view(path), 0)) == []
    assert list(broken_shares(view(path, b'"mtime_ns":77', b'"mtime_ns":78'), 0)) == ["moved/a.png"]
    assert list(broken_shares(view(path, b'"owner_segment":1', b'"owner_segmenT":1'), 0)) == ["moved/a.png"]
