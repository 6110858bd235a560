"""What the tests of all commands start from."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from slth.cli.app import run


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A small target, its ticket, and labelled data; nobody writes there."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (8, 6), "0.bias": (8,), "2.weight": (3, 8), "2.bias": (3,)}
    save_file({k: rng.normal(size=s).astype(np.float32) / 3 for k, s in shapes.items()}, folder / "t.safetensors")
    x = rng.random((200, 6)).astype(np.float32)
    np.savez(folder / "d.npz", x=x, y=rng.integers(0, 3, 200))
    options = ["--out", str(folder / "t.slth"), "--input-range", "0,1", "-q"]
    assert run(["construct", str(folder / "t.safetensors"), *options]) == 0
    return folder
