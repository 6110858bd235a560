"""Every reproduction: complete, and at scale smoke done within its time; its verdict says what was checked."""

import pytest

from slth import reproductions
from slth.reproductions import Scale, Verdict
from slth.theory import REFERENCES

DATA = ("mnist", "fashion_mnist", "cifar10", "cora")  # that come as files
NAMES = list(reproductions.MODULES)
SMOKES = [name if name in NAMES[:1] else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_a_reproduction_is_complete(name):
    one = reproductions.find(name)
    assert one.name == name
    assert one.says.endswith(".")
    assert set(one.sources) <= set(REFERENCES)
    assert not one.data.get(Scale.SMOKE)
    for scale in (Scale.SMOKE, Scale.SMALL):
        parts = one.parts(scale, 0)
        assert parts
        assert len({(part.name, repr(sorted(part.options.items()))) for part in parts}) == len(parts)


@pytest.mark.parametrize("name", NAMES)
def test_what_data_a_part_names_is_looked_for_before_the_work(name):
    one = reproductions.find(name)
    for scale in Scale:
        options = [value for part in one.parts(scale, 0) for value in part.options.values()]
        named = {value for value in options if isinstance(value, str) and value in DATA}
        assert named <= set(one.data.get(scale, ()))


@pytest.mark.parametrize("name", SMOKES)
def test_at_scale_smoke_it_ends_in_a_verdict(name, tmp_path):
    found = reproductions.reproduce(name, out=tmp_path, threads=1)
    assert found.conclusion.verdict is not Verdict.NOT_ATTEMPTED
    assert found.conclusion.because.endswith(".")
    assert found.conclusion.rows
    assert all(path.exists() for path in found.files)
