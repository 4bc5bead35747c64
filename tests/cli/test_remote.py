"""The commands over an archive, and over originals, in an object store."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from batchcomp import Archive
from batchcomp import decode as decode_archive
from batchcomp.archive.store import store_of
from batchcomp.archive.store.opening import forget
from batchcomp.errors import UsageError
from batchcomp.places import Url, place
from tests.cli import samples
from tests.cli.conftest import Run


@pytest.fixture
def url() -> Iterator[str]:
    """An address in memory that nothing lies at."""
    yield f"memory://{secrets.token_hex(8)}/backup/photos.bca"
    forget()


def test_an_archive_at_an_address_is_like_one_in_a_folder(
    compress: Run, decode: Run, run: Run, tiny_model: Path, photos: Path, url: str, tmp_path: Path
) -> None:
    """All commands work, tell the same, and restore the same files."""
    assert compress(photos, "-o", "here.bca", "--parity", "5%").code == 0
    done = compress(photos, "-o", url, "--parity", "5%", "--json")
    assert (done.code, done.json[-1]["done"], done.json[-1]["archive"]) == (0, 3, url)
    assert compress(photos, "-o", url, "--json").json[-1]["unchanged"] == 3
    here, there = (run("list", one, "--json").json for one in ("here.bca", url))
    assert [line["entry"] for line in here[:-1]] == [line["entry"] for line in there[:-1]] != []
    assert run("verify", url, "--decode", "--model", tiny_model).code == 0
    assert run("verify", url, "--sources", photos).code == 0
    assert run("list", url, "--versions").out.count("\n") == 3
    assert decode(url, "-o", "out").code == decode("here.bca", "-o", "same").code == 0
    assert [path.read_bytes() for path in sorted((tmp_path / "out").rglob("*.*"))] == [
        path.read_bytes() for path in sorted((tmp_path / "same").rglob("*.*"))
    ]
    samples.save(photos / "a.png", samples.image(seed=9))
    assert compress(photos, "-o", url).code == 0
    assert run("list", url, "--versions").out.count("\n") == 4
    assert decode(url, "a.png", "--version", 1, "-o", "old").code == 0
    assert run("prune", url).code == 0
    assert run("list", url, "--versions").out.count("\n") == 3
    assert run("verify", url).code == 0
    assert run("report", url, "--json").json[-1]["pictures"] == 3


def test_damage_at_an_address_is_found_and_repaired(compress: Run, run: Run, photos: Path, url: str) -> None:
    """Recovery data gives the segment back to the byte, and the damaged object is kept."""
    assert compress(photos, "-o", url, "--parity", "30%").code == 0
    store = store_of(place(url))
    whole = store.read("000001.zip", 0, 10**6)
    store.replace("000001.zip", whole[:200] + b"damage" + whole[206:])
    assert run("verify", url).code == 4
    assert run("repair", url, "--dry-run").code == 0
    assert run("verify", url).code == 4
    found = run("repair", url)
    assert (found.code, f"{url}/000001.zip.damaged" in found.err) == (0, True)
    assert store.read("000001.zip", 0, 10**6) == whole
    assert run("verify", url).code == 0


def test_originals_can_lie_at_an_address(compress: Run, decode: Run, photos: Path, url: str) -> None:
    """They are taken by the rules of a folder, and are unchanged the next time; each failure names its address."""
    source = f"{url.removesuffix('/backup/photos.bca')}/in"
    store = store_of(place(source))
    for path in (path for path in photos.rglob("*") if path.is_file()):
        store.put_new(path.relative_to(photos).as_posix(), path.read_bytes())
    store.put_new("broken.jpg", b"\xff\xd8\xff\xe0 no picture")
    store.put_new("notes.txt", b"no picture")
    store.put_new("old.bca/000001.zip", b"PK")
    first = compress(source, "-o", url, "--json")
    counts = first.json[-1]
    assert (first.code, counts["done"], counts["failed"]) == (3, 3, 1)
    assert f"{source}/broken.jpg: " in first.err
    again = compress(source, "-o", url, "--exclude", "broken.jpg", "--json").json[-1]
    assert (again["done"], again["unchanged"]) == (0, 3)
    assert compress(source).code == 3  # into SOURCE.bca beside it
    assert decode(f"{source}.bca", "-o", "out").code == 0
    with Image.open("out/a.png") as picture, Image.open(photos / "a.png") as original:
        assert picture.size == original.size


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compress", "s3://a/x", "photos", "-o", "x.bca"), "must be the only PATH"),
        (("compress", "s3://a/x", "--checksum"), "--checksum would download every picture"),
        (("compress", "http://a/x"), "http:// is not known"),
        (("list", "s3://key:secret@bucket/x"), "credentials by the environment"),
        (("list", "az://container/x?sig=secret"), "credentials by the environment"),
        (("list", "s3:///x"), "expected s3://BUCKET/PREFIX"),
        (("verify", "x.bca", "--sources", "s3://a/x"), "a folder or file of this machine is needed here"),
        (("diff", "x.bca", "s3://a/x"), "a folder or file of this machine is needed here"),
        (("prune", "x.bca", "--delete-missing", "s3://a/x"), "a folder or file of this machine is needed here"),
    ],
)
def test_what_makes_no_sense_is_said(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """One line, exit code 2, and no secret in it."""
    result = run(*arguments)
    assert (result.code, said in result.err, "secret" in result.err + result.out) == (2, True, False)


def test_an_address_that_nothing_lies_at(run: Run, compress: Run, url: str) -> None:
    """There is no archive, or there are no originals."""
    assert run("list", url).code == 10
    found = compress(url, "-o", "x.bca")
    assert (found.code, "nothing lies there" in found.err) == (2, True)


def test_addresses_are_read_strictly() -> None:
    """Slashes at the end mean nothing, and a name beside stays in the bucket."""
    found = place("s3://bucket//a/b.bca/")
    assert isinstance(found, Url)
    assert (str(found), found.name, found.stem, found.suffix) == ("s3://bucket/a/b.bca", "b.bca", "b", ".bca")
    assert (str(found.with_name("c")), str(Url("gs", "x").with_name("c"))) == ("s3://bucket/a/c", "gs://x/c")
    assert place("C:/photos") == Path("C:/photos")


def test_the_address_last_written_is_remembered(compress: Run, run: Run, photos: Path, url: str) -> None:
    """Commands that name no archive take it, as they take a folder."""
    assert compress(photos, "-o", url).code == 0
    found = run("list")
    assert (found.code, found.out.count("\n"), f"{url}: the archive last written" in found.err) == (0, 3, True)


def test_the_api_takes_addresses(compress: Run, photos: Path, url: str) -> None:
    """As a text or as a `Url`; an output folder lies on this machine."""
    assert compress(photos, "-o", url).code == 0
    assert sorted(picture.path for picture in Archive.open(url)) == ["a.png", "b.jpg", "sub/c.png"]
    with pytest.raises(UsageError, match="is needed here"):
        decode_archive(place(url), url)


def test_the_extra_is_named_where_it_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without obstore the message says how to get it."""
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    found = run("list", "s3://bucket/x.bca")
    assert (found.code, "pip install 'batchcomp[remote]'" in found.err) == (1, True)
