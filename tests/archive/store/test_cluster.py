"""A cluster of two worker processes over an S3 server: the same pictures as a local run, whichever worker dies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from batchcomp.archive import verify
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.executors.dask import DaskExecutor
from batchcomp.pipeline.job_settings import Machine
from batchcomp.pipeline.records import tally
from batchcomp.pipeline.spread import compress_over
from batchcomp.pipeline.spread_reading import VerifyOver, restored_over
from batchcomp.pipeline.verify import VerifySettings, verify_archive
from batchcomp.places import Url
from batchcomp.settings import CompressSettings, DecodeSettings
from tests import seaweed
from tests.cli import samples
from tests.dask_cluster import DaskCluster
from tests.pipeline.test_parts import contents

COUNT = 16
MACHINE = Machine(device="cpu", jobs=1)


@pytest.fixture(scope="module")
def cluster(server: seaweed.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Two workers that know the way to the server."""
    with DaskCluster(tmp_path_factory.mktemp("dask"), environment=server.environment()) as cluster:
        yield cluster


@pytest.fixture
def settings(tmp_path: Path, tiny_model: Path, s3: Url) -> CompressSettings:
    for number in range(COUNT):
        samples.save(tmp_path / "photos" / f"{number:02d}.png", samples.image(120, 160 + number, seed=number))
    return CompressSettings(
        paths=(tmp_path / "photos",), archive=s3, model=tiny_model, device="cpu", jobs=1, isolate=False
    )


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])
def test_workers_die_while_they_store_in_a_bucket(
    cluster: DaskCluster, settings: CompressSettings, s3: Url, tmp_path: Path, kills: int
) -> None:
    """Nothing is lost, nothing is there twice; verify and decode over the cluster find what they find here."""
    local = replace(settings, archive=tmp_path / "local.bca")
    tally(compress_archive(local))
    whole, killed, runs, chance = contents(local.archive), 0, 0, random.Random(4)  # noqa: S311
    with DaskExecutor(cluster.address) as dask:
        while killed < kills:
            run = replace(settings, archive=Url(s3.scheme, s3.bucket, f"{s3.prefix}/{runs}.bca"))
            with cluster.losing_workers(chance, kills - killed) as lost:
                outcome = tally(compress_over(run, dask, MACHINE, part_files=1))
            killed, runs = killed + len(lost), runs + 1
            assert (outcome.counts["done"] + outcome.counts["unchanged"], outcome.failures) == (COUNT, [])
            assert contents(run.archive) == whole
            report = verify(run.archive)
            assert (report.ok, report.entries) == (True, COUNT)
        checking = VerifySettings(archive=run.archive, decode=True, model=settings.model)
        there = list(verify_archive(checking, VerifyOver(dask)))
        assert sorted(map(str, there)) == sorted(map(str, verify_archive(checking)))
        decoding = DecodeSettings(source=local.archive, out=tmp_path / "here", jobs=1, model=settings.model)
        tally(decode_archive(decoding))
        spread = replace(decoding, source=run.archive, out=tmp_path / "there")
        tally(decode_archive(spread, restore=restored_over(dask)))
        assert samples.tree(tmp_path / "there") == samples.tree(tmp_path / "here")
    print(f"kill -9 of workers over S3: {killed} in {runs} runs of {COUNT} pictures, 0 lost, 0 twice")  # noqa: T201
