"""One cluster and one S3 API for all tests: they take half a minute to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from tests.ray.cluster import Cluster, free_port, s3, short_folder
from tests.ray.world import World, world


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with short_folder() as found:
        yield found


@pytest.fixture(scope="session")
def bucket(folder: Path) -> Iterator[str]:
    """A bucket of an S3 API that this process and the cluster reach by their environment."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch, s3(folder, port) as url:
        for name, value in credentials(url).items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").mkdir("labelwright")
        yield "s3://labelwright"


@pytest.fixture(scope="session")
def cluster(folder: Path, bucket: str) -> Iterator[Cluster]:
    started = Cluster(folder, {"OMP_NUM_THREADS": "1"})
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def ours(folder: Path, cluster: Cluster, bucket: str) -> Iterator[World]:
    """A server that shares the bucket with the cluster."""
    with world(folder / "home", cluster, f"{bucket}/ours") as found:
        yield found


def credentials(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
