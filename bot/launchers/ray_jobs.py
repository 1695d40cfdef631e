"""The Jobs API of a Ray cluster, as far as trainings need it: Ray's own client with time limits."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bot.launchers import Unreachable

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 60.0
_SIGNALS = range(129, 160)
"""Exit statuses by which a shell tells that a signal killed its command."""


class NoRay(Unreachable):
    """Ray is not installed here."""

    def __init__(self) -> None:
        super().__init__(
            "LABELWRIGHT_LAUNCHER is ray, but Ray is not installed here:"
            " pip install 'labelwright[ray]'"
        )


_TALKATIVE = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
)


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster: the URL of its dashboard, its token where it asks for one (not printed), and
    the storage that its machines share with this one.

    `cpus`, `gpus` and `resources` (memory in bytes) are asked for by each of the `workers`.
    """

    address: str
    storage: str
    token: str | None = field(default=None, repr=False)
    workers: int = 1
    cpus: float = 1
    gpus: float = 1
    resources: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """How a job is: `ended` with its exit status (negative for a signal, None where nobody knows
    it), or not; `message` is what Ray says of that."""

    ended: bool
    status: int | None = None
    message: str = ""


class Jobs:
    """The jobs of a cluster. Every method raises Unreachable where it does not answer."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def version(self) -> str:
        """Ray's version there."""
        with self._asking():
            return str(self._client.ray_version())

    def submit(self, name: str, entrypoint: str, environment: dict[str, Any]) -> None:
        """Start a job under a name that no other has, with what a worker asks for."""
        cluster = self._cluster
        alone: dict[str, Any] = {}
        if cluster.workers == 1:
            others = dict(cluster.resources)
            memory = others.pop("memory", None)
            alone = {
                "entrypoint_num_cpus": cluster.cpus,
                "entrypoint_num_gpus": cluster.gpus or None,
                "entrypoint_memory": memory and int(memory),
                "entrypoint_resources": others or None,
            }
        with self._asking():
            self._client.submit_job(
                submission_id=name, entrypoint=entrypoint, runtime_env=environment, **alone
            )

    def state(self, name: str) -> State | None:
        """How a job is; None for one that the cluster does not know."""
        with self._asking():
            try:
                found = self._client.get_job_info(name)
            except RuntimeError as error:
                if _is_missing(error):
                    return None
                raise
        return state_of(str(found.status.value), found.driver_exit_code, found.message or "")

    def log(self, name: str) -> str:
        """All that a job has said so far."""
        with self._asking():
            return str(self._client.get_job_logs(name))

    def stop(self, name: str) -> None:
        """Ask a job to end."""
        with self._asking():
            self._client.stop_job(name)

    def delete(self, name: str) -> None:
        """Forget a job that has ended."""
        with self._asking():
            self._client.delete_job(name)

    @cached_property
    def _client(self) -> Any:
        token = self._cluster.token
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return _client_class()(self._cluster.address, headers=headers)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn what goes wrong between us into Unreachable."""
        _client_class()
        import requests
        from ray.exceptions import AuthenticationError

        where = f"the Ray cluster at {self._cluster.address}"
        try:
            yield
        except AuthenticationError:
            # `from None`: what was sent is quoted nowhere.
            raise Unreachable(f"{where} refuses us: set LABELWRIGHT_RAY_TOKEN") from None
        except (requests.RequestException, OSError) as error:
            raise Unreachable(f"{where} does not answer: is it up?") from error
        except RuntimeError as error:
            said = str(error).strip().partition("\n")[0][:300]
            raise Unreachable(f"{where} says: {said}") from error


def state_of(status: str, exit_status: int | None, message: str) -> State:
    """The state by the words of Ray's JobStatus."""
    if status in ("PENDING", "RUNNING"):
        return State(False, message=message)
    if status == "SUCCEEDED":
        return State(True, 0, message)
    if exit_status in _SIGNALS and exit_status is not None:
        exit_status = 128 - exit_status
    return State(True, exit_status or None, message)


def _is_missing(error: RuntimeError) -> bool:
    return "status code 404" in str(error)


def _client_class() -> Any:
    """Ray's client, which waits for ever by itself. Raises NoRay."""
    try:
        from ray.job_submission import JobSubmissionClient
    except ImportError:
        raise NoRay from None

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)

    class Client(JobSubmissionClient):  # type: ignore[misc]
        def _do_request(self, *args: Any, **more: Any) -> Any:
            more.setdefault("timeout", (CONNECT_SECONDS, ANSWER_SECONDS))
            return super()._do_request(*args, **more)

        def ray_version(self) -> Any:
            return self._do_request("GET", "/api/version").json()["ray_version"]

    return Client
