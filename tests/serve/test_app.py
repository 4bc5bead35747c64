"""What is answered: lists, pictures as `decode` restores them, files, and one clear error for what is broken."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from batchcomp.archive import ArchiveReader
from batchcomp.serve.catalogue import Catalogue
from batchcomp.serve.shared_work import BusyError
from tests.cli import samples
from tests.index.samples import break_rows
from tests.serve.conftest import Ask
from tests.serve.samples import NAME, batchcomp, spoil


def listed(client: TestClient, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/pictures", params=query).json()
    return found


def keys(client: TestClient) -> dict[str, str]:
    """Return the key of each picture by its path."""
    return {item[1]: item[0] for item in listed(client)["items"]}


def image_in(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_lists_have_pages_and_filters(made: Path, ask: Ask) -> None:
    """By part, folder, word and order; nonsense is as if it were not there."""
    client = ask(made)
    whole = listed(client)
    assert (whole["total"], whole["complete"], whole["problems"]) == (7, True, [])
    assert [item[1] for item in listed(client, start=2, count=2)["items"]] == [i[1] for i in whole["items"][2:4]]
    assert [i[1] for i in listed(client, folder="sea")["items"]] == ["sea/b.jpg", "sea/deep/grey.png", "sea/turned.jpg"]
    assert [i[1] for i in listed(client, text="GREY")["items"]] == ["sea/deep/grey.png"]
    assert listed(client, before=0)["total"] == 0
    assert listed(client, order="largest")["items"][0][1] == "a.png"
    assert listed(client, order="; DROP", since="x", start="-3", count="1e9")["total"] == 7
    key = keys(client)["sea/b.jpg"]
    assert listed(client, around=key, folder="sea", count=1)["place"] == 0
    assert client.get("/api/folders").json() == [["sea", "sea", 3]]
    assert client.get("/api/folders", params={"under": "sea"}).json() == [["sea/deep", "deep", 1]]


def test_the_view_is_what_decode_restores(made: Path, ask: Ask, tiny_model: Path, tmp_path: Path) -> None:
    """The same pixels as `decode` writes, as near as JPEG of quality 92 keeps them, turned upright."""
    batchcomp("decode", made, "-o", tmp_path, "--model", tiny_model)
    client = ask(made)
    for path, key in keys(client).items():
        if path in {"sixteen.png", "clear.png"}:
            continue
        found = client.get(f"/view/{key}")
        assert (found.status_code, found.headers["content-type"]) == (200, "image/jpeg")
        (file,) = (tmp_path / path).parent.glob(f"{Path(path).stem}.*" if path != NAME else "*onerror*")
        expected = np.asarray(Image.open(file)).astype(int)
        pixels = np.asarray(image_in(found.content)).astype(int)
        if path == "sea/turned.jpg":
            expected = np.rot90(expected, -1)
        assert pixels.shape == expected.shape
        assert np.abs(pixels - expected).mean() < 4


@pytest.mark.parametrize("form", ["png", "webp", "jpeg"])
def test_a_download_is_the_file_that_decode_writes(
    made: Path, ask: Ask, tiny_model: Path, tmp_path: Path, form: str
) -> None:
    """Byte for byte, with the name that it had and a suffix of the format."""
    batchcomp("decode", made, "sea/turned.jpg", "-o", tmp_path, "--model", tiny_model, "--format", form)
    client = ask(made)
    found = client.get(f"/download/{keys(client)['sea/turned.jpg']}/{form}")
    (file,) = (tmp_path / "sea").iterdir()
    assert found.content == file.read_bytes()
    assert found.headers["content-length"] == str(len(found.content))
    name = found.headers["content-disposition"].partition("''")[2]
    assert Path(unquote(name)).stem == "turned"


def test_what_is_stored_comes_as_it_is(made: Path, ask: Ask) -> None:
    """Pictures that browsers know say so; a source that was stored as it is comes as a file without a type."""
    client, found = ask(made), keys(ask(made))
    rows = {row.path: row for row in ArchiveReader.open(made).rows()}
    compact = client.get(f"/stored/{found['a.png']}")
    assert compact.headers["content-type"] == "image/jpeg"
    assert compact.content == ArchiveReader.open(made).read(rows["a.png"])
    assert "content-disposition" not in compact.headers
    assert "attachment" in client.get(f"/stored/{found['a.png']}?save").headers["content-disposition"]
    whole = client.get(f"/stored/{found['sixteen.png']}")
    assert whole.content == (made.parent / "photos" / "sixteen.png").read_bytes()
    assert whole.headers["content-type"] == "application/octet-stream"
    assert "attachment" in whole.headers["content-disposition"]


def test_thumbnails_are_small_and_upright(made: Path, ask: Ask) -> None:
    """Each kind has one: transparent ones over a pattern, a source of 16 bits by itself."""
    client = ask(made)
    sizes = {path: image_in(client.get(f"/thumb/{key}").content).size for path, key in keys(client).items()}
    assert sizes["sea/turned.jpg"][0] < sizes["sea/turned.jpg"][1]
    assert all(max(size) <= 360 for size in sizes.values())
    assert sizes["sixteen.png"] == (50, 40)


def test_browsers_keep_pictures_and_ask_no_more(made: Path, ask: Ask) -> None:
    """A key never stands for anything else; asked again, nothing is made or sent."""
    client = ask(made)
    key = keys(client)["a.png"]
    first = client.get(f"/thumb/{key}")
    assert "immutable" in first.headers["cache-control"]
    again = client.get(f"/thumb/{key}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/api/pictures").headers["cache-control"] == "no-store"


def test_a_picture_is_described_with_its_versions(archive: Path, ask: Ask, tiny_model: Path) -> None:
    """Sizes, kind, formats, and every version with its own picture."""
    samples.save(archive.parent / "photos" / "a.png", samples.image(80, 90, seed=9))
    batchcomp("compress", archive.parent / "photos", "--model", tiny_model, "--jobs", 1)
    client = ask(archive, sources=(archive.parent / "photos",))
    found = client.get(f"/api/picture/{keys(client)['a.png']}").json()
    assert (found["path"], found["width"], found["height"], found["version"]) == ("a.png", 90, 80, 2)
    assert (found["formats"], found["original"]) == (["png", "jpeg", "webp"], True)
    assert [number for _, number, _, _ in found["versions"]] == [1, 2]
    old = found["versions"][0][0]
    assert image_in(client.get(f"/view/{old}").content).size == (190, 170)
    formats = {path: client.get(f"/api/picture/{key}").json()["formats"] for path, key in keys(client).items()}
    assert (formats["clear.png"], formats["sixteen.png"]) == (["png", "webp"], [])


def test_versions_are_compared_beside_the_original(made: Path, ask: Ask) -> None:
    """With the original where it is, without it where not; what the networks do not restore has nothing to compare."""
    beside, alone = ask(made, sources=(made.parent / "photos",)), ask(made)
    key = keys(beside)["a.png"]
    found = beside.get(f"/api/compare/{key}").json()
    assert [one["kind"] for one in found["versions"]] == ["original", "batchcomp", "jpeg", "compact"]
    assert [one["kind"] for one in alone.get(f"/api/compare/{key}").json()["versions"]] == ["batchcomp", "compact"]
    refused = beside.get(f"/api/compare/{keys(beside)['sixteen.png']}")
    assert (refused.status_code, "nothing to compare" in refused.json()["error"]) == (422, True)


def test_a_broken_payload_is_one_error_and_the_rest_goes_on(archive: Path, ask: Ask) -> None:
    """What is damaged says so wherever it is asked for; its neighbours are shown."""
    rows = {row.path: row for row in ArchiveReader.open(archive).rows()}
    payload = ArchiveReader.open(archive).read(rows["a.png"])
    at = (archive / "000001.zip").read_bytes().index(payload[-100:])
    spoil(archive, "000001.zip", at)
    client = ask(archive)
    found = keys(client)
    for what in ("thumb", "view", "stored", "api/compare"):
        answer = client.get(f"/{what}/{found['a.png']}")
        assert answer.status_code == 422
        assert "damaged" in answer.json()["error"]
        assert answer.headers["cache-control"] == "no-store"
    assert client.get(f"/download/{found['a.png']}/png").status_code == 422
    assert client.get(f"/thumb/{found['sea/b.jpg']}").status_code == 200


def test_a_damaged_row_is_told(archive: Path, ask: Ask) -> None:
    """Its picture is listed and described with the reason."""
    break_rows(archive, 1, ["a.png"])
    client = ask(archive)
    key = keys(client)["a.png"]
    assert "row is damaged" in client.get(f"/api/picture/{key}").json()["reason"]
    assert client.get(f"/view/{key}").status_code == client.get(f"/thumb/{key}").status_code == 422


@pytest.mark.parametrize(
    "address",
    [
        "/thumb/../../etc/passwd",
        "/thumb/..%2f..%2fetc%2fpasswd",
        "/stored/%2fetc%2fpasswd",
        "/view/000001.zip",
        "/download/KEY/exe",
        "/download/KEY/..",
        "/api/picture/' OR 1=1 --",
        "/static/../photos.bca/000001.zip",
    ],
)
def test_nothing_but_what_the_archive_holds_can_be_named(made: Path, ask: Ask, address: str) -> None:
    """No path, no file of the archive itself, no format that is none."""
    client = ask(made)
    found = client.get(address.replace("KEY", keys(client)["a.png"]))
    assert found.status_code == 404
    assert b"root:" not in found.content
    assert b"PK" not in found.content[:4]


def test_pictures_that_are_added_are_seen(
    archive: Path, ask: Ask, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive that is written to while it is served shows what was added: the server looks again and again."""
    looked, written, refresh = threading.Semaphore(0), threading.Event(), Catalogue.refresh

    def look(catalogue: Catalogue) -> None:
        began = written.is_set()
        refresh(catalogue)
        if began:
            looked.release()

    monkeypatch.setattr("batchcomp.serve.app.LOOK_SECONDS", 0.01)
    monkeypatch.setattr(Catalogue, "refresh", look)
    client = ask(archive)
    before = listed(client)
    samples.save(archive.parent / "photos" / "new.png", samples.image(40, 50, seed=11))
    batchcomp("compress", archive.parent / "photos", "--model", tiny_model, "--jobs", 1)
    written.set()
    assert looked.acquire(timeout=60)
    after = listed(client)
    assert (before["total"], after["total"]) == (7, 8)
    assert before["state"] != after["state"]


def test_hostile_names_are_data(made: Path, ask: Ask) -> None:
    """They come as JSON, which no browser takes for a page, and never in the page."""
    client = ask(made)
    answer = client.get("/api/pictures")
    assert answer.headers["content-type"] == "application/json"
    assert NAME in [item[1] for item in json.loads(answer.text)["items"]]
    assert "onerror" not in client.get("/").text
    disposition = client.get(f"/download/{keys(client)[NAME]}/png").headers["content-disposition"]
    assert not set(disposition.partition("''")[2]) & set("<>\"'\r\n /")


def test_too_much_at_once_is_refused_in_words(made: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a full queue the answer is 503 and when to come again."""
    client = ask(made)
    key = keys(client)["a.png"]
    monkeypatch.setattr("batchcomp.serve.shared_work.SharedWork.get", _busy)
    answer = client.get(f"/thumb/{key}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def _busy(*_: object) -> None:
    raise BusyError
