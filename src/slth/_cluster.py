"""Independent work on a Ray cluster, through joblib: the same calls of `Parallel` as on one machine.

    with connected(cpus=4) as place:
        Parallel(place.cpus, backend=RAY, return_as="generator")(delayed(f)(x) for x in xs)

A worker that dies, killed or out of memory, or with its whole machine, costs what it was at: that is done again. Ray's
own backend for joblib (`ray.util.joblib`) ends the whole call there, and has no generators of results.

What travels is pickled, in both directions: whoever may use a cluster can run code on it. Ray listens on all
interfaces, even where it is told an address of its own; that is said when one is started here, which asks for a token
of its own.
"""

import logging
import os
import secrets
import socket
import sys
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, cast

from joblib import register_parallel_backend
from joblib.parallel import ParallelBackendBase

from slth._errors import InputError
from slth._extras import install
from slth._version import __version__

RAY = "slth-ray"  # what joblib knows the backend by
_PATIENCE = 10.0  # seconds in which a cluster must answer
_OPENED = (
    "Ray is started on this machine and listens on ports of all its network interfaces, whatever address it is told: "
    "who reaches them, and has the token that it asks for, can run code here. It ends with this command; its logs stay "
    "in the folder %s"
)
_log = logging.getLogger("slth.api")


@dataclass(frozen=True, slots=True)
class Place:
    """Where work is done."""

    cpus: int  # processors of all machines
    most: int  # processors that one worker can have: those of the smallest machine


@contextmanager
def connected(cpus: int) -> Generator[Place]:
    """The cluster of RAY_ADDRESS, or one that is running here already; else one is started on this machine.

    Args:
        cpus: processors of what is started here.

    Raises:
        InputError: Ray is not installed, nobody answers at that address, or none can be started.
    """
    ray = _ray()
    running = ray.is_initialized()
    try:
        if not running:
            _begin(ray, cpus)
        register_parallel_backend(RAY, RayBackend)
        nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        sizes = [size for size in nodes if size]
        if not sizes:
            raise InputError("the Ray cluster has no processors; start workers with `ray start --address=HEAD:PORT`")
        yield Place(sum(sizes), min(sizes))
    finally:
        if not running:
            ray.shutdown()


class RayBackend(ParallelBackendBase):
    """Tasks of Ray; each waits in a thread of this process.

    Args:
        cpus: processors of each worker; libraries in it use as many threads.
        again: how often work is done again whose worker died.
        lost: what stands for the result of a call whose worker died every time; None: that is an InputError.
    """

    supports_retrieve_callback = True

    def __init__(
        self,
        *,
        nesting_level: int | None = None,
        cpus: int = 1,
        again: int = 3,
        lost: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(nesting_level=nesting_level, **kwargs)
        self._cpus, self._again, self._lost = cpus, again, lost
        self._threads: ThreadPoolExecutor | None = None
        self._stopped = False
        self._refs = set[Any]()

    def effective_n_jobs(self, n_jobs: int) -> int:
        """At least 2: a single job would be done in this process."""
        return max(2, n_jobs)

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        """Make ready for one call of `Parallel`."""
        self.parallel, self._stopped = parallel, False
        self._threads = ThreadPoolExecutor(n_jobs)
        return self.effective_n_jobs(n_jobs)

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> "Future[Any]":
        """Begin a batch of calls."""
        assert self._threads is not None
        future = self._threads.submit(self._answer, func)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: "Future[Any]") -> Any:
        """The results of a batch."""
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """End all workers in the middle of what they do."""
        self._stopped = True
        for ref in list(self._refs):
            with suppress(Exception):  # one that is done meanwhile
                _ray().cancel(ref, force=True)

    def terminate(self) -> None:
        """Forget what has not begun."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def _answer(self, calls: Any) -> Any:
        ray = _ray()
        if self._stopped:
            raise InputError("the work was stopped")
        payload = ray.cloudpickle.dumps(calls)  # as bytes: arrays of Ray's own store could not be written to
        ref = _task().options(num_cpus=self._cpus, max_retries=self._again).remote(__version__, payload)
        self._refs.add(ref)
        try:
            return ray.cloudpickle.loads(ray.get(ref))
        except ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except ray.exceptions.RayError as error:
            if self._lost is not None and not self._stopped:
                return [self._lost(*given, **named) for _, given, named in calls.items]
            raise InputError(
                f"workers of the Ray cluster died {self._again + 1} times in the middle of the same work "
                f"({type(error).__name__}): killed, or out of memory; ask for fewer at a time, or more memory for each"
            ) from error
        finally:
            self._refs.discard(ref)


def _begin(ray: Any, cpus: int) -> None:
    """Connect, or start."""
    address = os.environ.get("RAY_ADDRESS")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    if address:
        host, _, port = address.rpartition(":")
        try:
            if host and port.isdecimal() and "/" not in host:
                socket.create_connection((host, int(port)), _PATIENCE).close()  # Ray would ask for minutes
            ray.init(address=address, **quiet)
        except Exception as error:  # OSError, RuntimeError, ValueError: by what is wrong
            said = str(error).strip().partition("\n")[0]
            raise InputError(
                f"no Ray cluster can be joined at {address} ({said}); set RAY_ADDRESS to that of a running one, or "
                "leave it out to start one here"
            ) from error
        return
    with _paths_told():
        try:
            here = ray.init(address="local", num_cpus=cpus, include_dashboard=False, **quiet)
        except Exception as error:  # a bare one, where its processes do not answer in time
            said = str(error).strip().partition("\n")[0]
            raise InputError(
                f"Ray could not start a cluster on this machine ({said}); try again where less is running, set "
                "RAY_ADDRESS to that of a running one, or leave --backend ray out"
            ) from error
    _log.warning(_OPENED, here.address_info["session_dir"])


@contextmanager
def _paths_told() -> Generator[None]:
    """Processes that are started meanwhile find the same packages."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _cause(error: Any) -> BaseException:
    """What was raised on a worker."""
    cause = cast(BaseException, getattr(error, "cause", error))
    if isinstance(cause, ImportError) or "failed to import" in str(cause):
        return InputError(
            f"a worker of the Ray cluster cannot import slth {__version__}: install the same version on all machines"
        )
    return cause


@cache
def _task() -> Any:
    return _ray().remote(_work)


def _work(version: str, payload: bytes) -> bytes:
    """On a worker: do a batch of calls."""
    if version != __version__:
        raise InputError(f"a worker of the Ray cluster has slth {__version__}, this is {version}; install the same")
    ray = _ray()
    return ray.cloudpickle.dumps(ray.cloudpickle.loads(payload)())


@cache
def _ray() -> Any:
    if "ray" not in sys.modules and not os.environ.get("RAY_ADDRESS"):  # it reads them once
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import_module("ray.exceptions")
        return import_module("ray")
    except ImportError as error:
        raise InputError(f"the backend ray needs the package ray: {install('ray')}") from error
