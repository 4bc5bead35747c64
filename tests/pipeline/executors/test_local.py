"""The table of executors, and the one that needs nothing."""

from __future__ import annotations

import pytest

from batchcomp.errors import UsageError
from batchcomp.pipeline.executors import executor
from batchcomp.pipeline.executors.local import LocalExecutor


def test_local_does_one_after_the_other() -> None:
    """Answers come in the order of the items, each when it is asked for."""
    done = list[int]()

    def task(item: int) -> int:
        done.append(item)
        return item * item

    with executor("local") as local:
        answers = local.run(task, [1, 2, 3])
        assert next(answers) == (1, 1)
        assert done == [1]
        assert list(answers) == [(2, 4), (3, 9)]
    assert isinstance(local, LocalExecutor)


def test_what_is_no_executor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown name, a scheduler that is not wanted or is lacking, and a package that is missing: one line each."""
    with pytest.raises(UsageError, match="engine 'spark': expected one of local, dask"):
        executor("spark")
    with pytest.raises(UsageError, match="the local engine has none; add --engine dask"):
        executor("local", "tcp://localhost:1")
    with pytest.raises(UsageError, match="--engine dask: name its scheduler"):
        executor("dask")
    monkeypatch.setattr("batchcomp.pipeline.executors.import_module", _lacking)
    with pytest.raises(UsageError, match=r"distributed is missing; pip install 'batchcomp\[dask\]'"):
        executor("dask", "tcp://localhost:1")


def _lacking(_module: str) -> None:
    raise ImportError("No module named 'distributed'", name="distributed")
