"""`tools/cohort_table.py`."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


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
    main = runpy.run_path(str(TOOLS / "cohort_table.py"))["main"]
    main(tmp_path / "found.json", document)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- /cohorts -->\nafter\n")
    assert "old" not in text
    assert "| test | all | 2 | .9400 | .9000 | 2 of 2 |" in text
    assert "| train - test | nets | +0.0100 | -0.0020 |" in text
    with pytest.raises(ValueError, match="no lines"):
        main(tmp_path / "found.json", tmp_path / "found.json")
