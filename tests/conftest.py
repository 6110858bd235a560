"""Runtime shape checking for every call into slth, and one torch thread; with CI=true no tool may be missing."""

import gc
import os
from importlib import import_module

import jaxtyping
import pytest
from helpers import shape_checks

os.environ.setdefault("OMP_NUM_THREADS", "1")
shape_checks.install()
if os.environ.get("CI") == "true":
    pytest.importorskip = lambda name, **_: import_module(name)  # fails instead


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    """Of the hundreds of modules that are imported nothing is garbage; they stay, and it is looked for beside them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture
def unchecked():
    """Guards must refuse what the runtime shape checks of the test suite would otherwise refuse first."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
