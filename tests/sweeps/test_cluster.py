"""A Ray cluster gives the bytes and the records of one machine, whoever dies in the middle.

The cluster here has two nodes on this machine; RAY_ADDRESS names it, as on any other. All of it is slow, and so outside
of continuous integration: Ray takes 240 MB, and seconds to begin.
"""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sweeps.squares import answers, logged, recipe, strays

import slth
from slth import InputError, sweeps
from slth.ticket import encode

needs_ray = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs ray: pip install -c constraints.txt -e '.[ray]'"),
]
rng = np.random.default_rng(0)
TARGET = {"a.weight": rng.normal(size=(150, 200)) / 20, "b.weight": rng.normal(size=(50, 150)) / 20}
ASKED = {"input_range": (-1, 1), "tolerance": 1e-4, "activation": "relu", "order": ["a", "b"]}


def made(**how):
    return encode(slth.construct(TARGET, **ASKED, **how))


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one processor each; whatever they start finds the packages and tests that this process finds."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        nodes = Cluster()
        for _ in range(2):
            nodes.add_node(num_cpus=1, include_dashboard=False)
        nodes.wait_for_nodes()
        patch.setenv("RAY_ADDRESS", nodes.address)
        yield nodes
        nodes.shutdown()


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return found.read_text().split() if found.exists() else []


def working():
    """Processes of the cluster that work now, by what Ray calls them meanwhile."""
    every = [inner for outer in children(os.getpid()) for inner in children(outer)]
    found = []
    for pid in every:
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if title.startswith(b"ray::_work"):
            found.append(int(pid))
    return found


class Killer:
    """A progress report that kills workers where they work, at so many reports."""

    def __init__(self, kills):
        self.left = kills

    def __call__(self, done, total):
        if self.left and 0 < done < total and (busy := working()):
            os.kill(busy[0], signal.SIGKILL)
            self.left -= 1


@pytest.mark.usefixtures("cluster")
class TestOnACluster:
    pytestmark = needs_ray

    @pytest.mark.parametrize("how", [{}, {"threads": 1}, {"objective": "fewest"}, {"relative_tolerance": 1e-9}])
    def test_a_ticket_has_the_same_bytes(self, how):
        own = {**ASKED, "tolerance": None} if "relative_tolerance" in how else ASKED
        small = {name: value[:20, :20] for name, value in TARGET.items()}
        here, there = (encode(slth.construct(small, **{**own, **how, **on})) for on in ({}, {"backend": "ray"}))
        assert here == there

    def test_killed_workers_change_no_byte(self, monkeypatch):
        monkeypatch.setattr("slth.ticket.gadgets.two_layer._BLOCK", 1 << 14)  # many blocks
        killer = Killer(3)
        assert made(backend="ray", threads=2, progress=killer) == made(threads=1)
        assert killer.left < 3  # whether one works when a report comes is a matter of moments

    def test_a_sweep_has_the_same_answers(self, tmp_path):
        sweeps.run(recipe(4, 3, bad=[2]), tmp_path / "here")
        found = sweeps.run(recipe(4, 3, bad=[2]), tmp_path / "there", backend="ray")
        assert answers(tmp_path / "here").keys() == answers(tmp_path / "there").keys()
        good = {name: said for name, said in answers(tmp_path / "here").items() if "failed" not in name}
        assert good.items() <= answers(tmp_path / "there").items()
        assert {failure.outcome["error"] for failure in found.failed} == {"ArithmeticError"}
        assert not strays(tmp_path / "there")

    def test_killed_workers_lose_no_cell(self, tmp_path):
        """The cell of a worker that is killed is begun again; nobody else's is."""
        sweeps.run(recipe(6, 5, work=200_000), tmp_path / "here", workers=2)
        killer = Killer(2)
        sweeps.run(recipe(6, 5, work=200_000), tmp_path / "there", workers=2, backend="ray", progress=killer)
        assert answers(tmp_path / "there") == answers(tmp_path / "here")
        assert killer.left == 0
        assert len(logged(tmp_path / "there", "begun")) in (31, 32)
        assert not strays(tmp_path / "there")

    def test_a_cell_that_kills_its_worker_every_time_is_the_only_failure(self, tmp_path):
        found = sweeps.run(recipe(3, 2, deadly=1), tmp_path / "r", backend="ray")
        assert [record.outcome["result"] for record in found.records] == [0, 1, 4, 5]
        assert [failure.outcome["error"] for failure in found.failed] == ["Died", "Died"]
        assert {failure.asked["x"] for failure in found.failed} == {1}
        assert not strays(tmp_path / "r")

    def test_another_version_on_a_worker_is_refused(self, monkeypatch):
        """Its tickets may have other bytes. What a worker refuses is a sentence here, too."""
        monkeypatch.setattr("slth._cluster.__version__", "9.9")
        with pytest.raises(
            InputError, match=r"a worker of the Ray cluster has slth .*, this is 9\.9; install the same"
        ):
            made(backend="ray")

    def test_a_machine_that_is_lost_changes_no_byte(self, cluster, monkeypatch):
        """Its worker goes with it; those of other machines go on."""
        monkeypatch.setattr("slth.ticket.gadgets.two_layer._BLOCK", 1 << 14)
        node = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        lost = []

        def lose(done, total):
            if 0 < done < total and not lost:
                lost.append(node)
                cluster.remove_node(node, allow_graceful=False)

        assert made(backend="ray", progress=lose) == made(threads=1)
        assert lost


class TestStartedHere:
    pytestmark = needs_ray

    def test_what_it_opens_is_said_and_nothing_is_left_running(self, tmp_path, monkeypatch):
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
        np.savez(tmp_path / "net.npz", **TARGET)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-m", "slth", "construct", str(tmp_path / "net.npz"), "--input-range", "-1,1"]
        command += ["--order", "a,b", "--activation", "relu", "--out", str(tmp_path / "net.slth")]
        done = subprocess.run(
            [*command, "--backend", "ray", "--threads", "2"], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "listens on ports of all its network interfaces" in done.stderr
        assert (tmp_path / "net.slth").read_bytes() == made(threads=1)
        folder = done.stderr.partition("in the folder ")[2].split()[0]
        running = subprocess.run(["pgrep", "-f", folder], capture_output=True, text=True).stdout.split()
        assert not running

    def test_an_address_where_nobody_answers_is_one_sentence(self, monkeypatch):
        monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
        with pytest.raises(InputError, match=r"no Ray cluster can be joined at 127\.0\.0\.1:1 .*set RAY_ADDRESS"):
            made(backend="ray")


def test_a_cluster_that_does_not_start_is_one_sentence(monkeypatch):
    """On a busy machine Ray raises a bare exception after half a minute."""
    from slth import _cluster

    def init(**asked):
        raise Exception("The current node timed out during startup.\nMore.")

    ended = []
    fake = SimpleNamespace(is_initialized=lambda: False, init=init, shutdown=lambda: ended.append(1))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(_cluster, "_ray", lambda: fake)
    with pytest.raises(InputError, match=r"could not start a cluster .*timed out during startup\.\); try again"):
        made(backend="ray")
    assert ended == [1]


@pytest.mark.parametrize("begin", [made, lambda **how: sweeps.run(recipe(1, 1), how.pop("folder"), **how)])
def test_without_ray_one_sentence_says_what_to_install(begin, tmp_path, monkeypatch):
    from slth import _cluster

    _cluster._ray.cache_clear()
    monkeypatch.setitem(sys.modules, "ray", None)
    own = {} if begin is made else {"folder": tmp_path / "r"}
    with pytest.raises(InputError, match=r"the backend ray needs the package ray: pip install .*\[ray\]"):
        begin(backend="ray", **own)


def test_a_backend_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="backend"):
        made(backend="rya")
    with pytest.raises(InputError, match="backend"):
        sweeps.run(recipe(1, 1), tmp_path / "r", backend="rya")
