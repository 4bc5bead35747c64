"""The examples run."""

from __future__ import annotations

import json
import os
import runpy
import shutil
from pathlib import Path

import pytest
from PIL import Image

from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.records import tally
from batchcomp.settings import CompressSettings, DecodeSettings

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_training_plot_is_drawn(tmp_path: Path) -> None:
    """A log of a few rows becomes a picture."""
    log = tmp_path / "log.csv"
    log.write_text("step,seconds,loss,dev_bd_rate\n50,30,-3.5,\n100,60,-3.6,-20.5\n150,90,-3.7,-30\n")
    runpy.run_path(str(EXAMPLES / "plot_training.py"))["plot"](log, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_turns_plot_is_drawn(tmp_path: Path) -> None:
    """Two logs of alternating training become one picture."""
    head = "step,cpu_seconds,learning_rate,turn,loss,mse,bpp,dev_bd_rate,dev_psnr_gain,dev_bpp,seen_bd_rate\n"
    rows = (
        "0,0,1e-5,rec,,,,-35,2.8,.28,-39\n20,30,5e-4,rec,.002,.002,.5,,,,\n40,60,5e-4,com,.001,.001,.5,-36,3,.3,-40\n"
    )
    logs = {name: tmp_path / f"{name}.csv" for name in ("with", "without")}
    for log in logs.values():
        log.write_text(head + rows)
    runpy.run_path(str(EXAMPLES / "plot_turns.py"))["plot"](tmp_path / "curve.png", logs)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_cohort_table_goes_into_a_document(tmp_path: Path) -> None:
    """What stood between the marks is replaced, the rest stays; a document without marks is left alone."""
    found = {
        "rate": 0.25,
        "codecs": ["nets", "jpeg"],
        "rows": [{"cohort": "test", "group": "all", "pictures": 2, "ms_ssim": {"nets": 0.94, "jpeg": 0.9}, "wins": 2}],
        "gaps": [{"over": "train", "under": "test", "codec": "nets", "ms_ssim": 0.01, "gain": -0.002}],
    }
    (tmp_path / "found.json").write_text(json.dumps(found))
    document = tmp_path / "doc.md"
    document.write_text("before\n<!-- cohorts -->\nold\n<!-- /cohorts -->\nafter\n")
    main = runpy.run_path(str(EXAMPLES / "cohort_table.py"))["main"]
    main(tmp_path / "found.json", document)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- /cohorts -->\nafter\n")
    assert "old" not in text
    assert "| test | all | 2 | .9400 | .9000 | 2 of 2 |" in text
    assert "| train - test | nets | +0.0100 | -0.0020 |" in text
    with pytest.raises(ValueError, match="no lines"):
        main(tmp_path / "found.json", tmp_path / "found.json")


def test_the_figures_go_into_a_document(tmp_path: Path) -> None:
    """Each codec has a row, the densest first; guards say who wins; what stood between the marks is gone."""
    win = {"rival": "batchcomp", "mean_ms_ssim": 0.96, "anchor_mean_ms_ssim": 0.9}
    bench = {
        "bd_rates": [
            {"rival": "jpeg", "of_mean_curve": 0.0, "in_usual_span": 0.0},
            {"rival": "batchcomp", "of_mean_curve": -55.04, "in_usual_span": None},
        ],
        "wins": [{**win, "rate": rate} for rate in (0.25, 0.35, 0.5, 0.75, 1.0)],
        "guard_summaries": [
            {
                "rate": 0.5,
                "pictures": 24,
                **{f"{measure}_wins": 23 for measure in ("ms_ssim", "ssimulacra2", "psnr", "ciede2000")},
                "ssimulacra2": [30.25, 28.0],
                "psnr": [30.25, 28.0],
                "ciede2000": [30.25, 28.0],
                "ms_ssim": [0.98, 0.9],
            }
        ],
    }
    (tmp_path / "found.json").write_text(json.dumps(bench))
    document = tmp_path / "doc.md"
    document.write_text("before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n")
    main = runpy.run_path(str(EXAMPLES / "figure_tables.py"))["main"]
    main(tmp_path / "found.json", document)
    rows = document.read_text().splitlines()
    assert rows[0] == "before"
    assert rows[-1] == "after"
    assert (
        rows[4] == "| **batchcomp** | **-55.0 %** | **-** | **.9600** | **.9600** | **.9600** | **.9600** | **.9600** |"
    )
    assert rows[5] == "| JPEG (optimised, progressive) | 0 | 0 | .9000 | .9000 | .9000 | .9000 | .9000 |"
    assert rows[9].startswith("| 0.5 | .9800 against .9000, 23 of 24 | 30.2 against 28.0, 23 of 24 |")
    with pytest.raises(ValueError, match="no lines"):
        main(tmp_path / "found.json", tmp_path / "found.json")


def test_a_folder_is_archived_from_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example archives photos, prints a measured row for each and restores one."""
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(EXAMPLES / "photos" / "chelsea.png", photos)
    runpy.run_path(str(EXAMPLES / "archive_and_check.py"))["main"](photos, tmp_path / "p.bca")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("chelsea.png: ")
    assert "MS-SSIM 0.9" in lines[0]
    assert lines[1] == "restored chelsea.png: (300, 451, 3)"


def test_a_report_is_checked_against_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Recomputed from disk, the report is right; with a wrong picture in its place, the check fails."""
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(EXAMPLES / "photos" / "chelsea.png", photos)
    archive, out = tmp_path / "p.bca", tmp_path / "out"
    tally(compress_archive(CompressSettings(paths=(photos,), archive=archive, quality=30)))
    tally(decode_archive(DecodeSettings(source=archive, out=out)))
    check = runpy.run_path(str(EXAMPLES / "check_report.py"))["main"]
    assert check(photos, archive, out) == 0
    assert "0 wrong" in capsys.readouterr().out
    with Image.open(out / "chelsea.png") as image:
        flipped = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    flipped.save(out / "chelsea.png")
    assert check(photos, archive, out) == 1


def test_what_was_decoded_is_compared_with_its_sources(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All is well after decoding; another time, alpha channel or content and a lost comment are each found."""
    photos, archive, out = tmp_path / "in", tmp_path / "a.bca", tmp_path / "out"
    photos.mkdir()
    with Image.open(EXAMPLES / "photos" / "chelsea.png") as image:
        colour = image.convert("RGB")
    colour.save(photos / "comment.jpg", quality=95, comment=b"hello", dpi=(300, 300))
    colour.convert("RGBA").save(photos / "alpha.png")
    colour.convert("P").save(photos / "flat.png")
    colour.save(photos / "time.png")
    (photos / "notes.txt").write_text("none of ours")
    tally(
        compress_archive(
            CompressSettings(paths=(photos,), archive=archive, quality=30, model=tiny_model, measure=False)
        )
    )
    tally(decode_archive(DecodeSettings(source=archive, out=out, model=tiny_model)))
    compare = runpy.run_path(str(EXAMPLES / "compare_with_sources.py"))["main"]
    assert compare(photos, archive, out) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (summary["files"], summary["verbatim"], summary["not in the archive"]) == (4, 1, 1)

    colour.save(out / "comment.png")
    Image.merge("RGBA", (*colour.split(), Image.new("L", colour.size, 7))).save(out / "alpha.png")
    (out / "flat.png").write_bytes(b"other bytes")
    os.utime(out / "time.png", (1, 1))
    assert compare(photos, archive, out) == 1
    found = {line.split("\t")[0]: line.split("\t")[-1] for line in capsys.readouterr().out.splitlines()}
    assert "text 'Comment'" in found["comment.jpg"]
    assert "alpha" in found["alpha.png"]
    assert "bytes" in found["flat.png"]
    assert found["time.png"] == "time or permissions"


def test_the_second_set_is_made(tmp_path: Path) -> None:
    """Each photo gives its whole and two parts, besides the colour pictures of the examples."""
    (tmp_path / "in").mkdir()
    Image.new("RGB", (1800, 1400), (9, 99, 200)).save(tmp_path / "in/sky.jpg")
    module = runpy.run_path(str(EXAMPLES / "second_set.py"))
    module["make"](tmp_path / "in", tmp_path / "out")
    sizes = {}
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as picture:
            sizes[path.name] = picture.size
    assert {name: size for name, size in sizes.items() if name.startswith("sky")} == {
        "sky-whole.png": (768, 597),
        "sky-centre.png": (768, 512),
        "sky-low.png": (768, 512),
    }
    assert {"astronaut.png", "rocket.png"} <= sizes.keys()
