"""Claims survive the JSON of version 1 unchanged, and data that claims nothing sensible is refused."""

import copy
import json
import math

import numpy as np
import pytest

from slth import InputError
from slth.certificate import Certificate, MapClaim, certify
from slth.graph import Affine, Box, Realised, chain
from slth.ticket.format.v1_claims import BOUNDS, CLAIM

BOXES = Box.uniform(0.0, 1.0, 3), None


def written(claims):
    """Plain data, as the writer of version 1 makes it."""
    outputs = {name: getattr(claims, name) for name in ("sup_error", "l2_error", "output_error")}
    return BOUNDS.write({"layers": claims.maps.values(), **outputs})


def read(data):
    """The claims again, as the reader of version 1 makes them."""
    found = BOUNDS.read(data, "ticket.bounds")
    maps = {f"layers/{i}": MapClaim(**claim) for i, claim in enumerate(found.pop("layers"))}
    return Certificate(maps=maps, **found)


@pytest.mark.parametrize("count", [10, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("box", BOXES, ids=["box", "none"])
def test_data_survives_json_exactly(box, count):
    """Networks of two layers: float64 as decimal text and back."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        shapes = (4, 3, 1), (2, 4, 1)
        target = chain([Affine(rng.normal(size=shape), None) for shape in shapes])
        parts = [Realised(rng.normal(size=shape), None, None, np.zeros(shape[1], np.bool_)) for shape in shapes]
        realised = dict(zip(target.graph.maps, parts, strict=True))
        claims = certify(target, realised.__getitem__, tolerances=dict.fromkeys(realised, 1e-3), box=box)
        assert read(json.loads(json.dumps(written(claims)))) == claims


HONEST = written(Certificate({"layers/0": MapClaim(0.01, 0.02, 0.5, 3, 0.25, 1.0, 1.5)}, 1.0, 1.5, (1.0, 0.5)))
LAYER = ("layers", 0)
NUMBERS = ("weight_error", "bias_error", "operator_error", "sup_error", "l2_error")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[
            ((*LAYER, name), bad)
            for name in ("tolerance", *NUMBERS)
            for bad in (math.nan, math.inf, -1e-300, True, "1", [1.0])
        ],
        *[((*LAYER, name), None) for name in ("tolerance", "weight_error", "bias_error", "misses", "operator_error")],
        *[((*LAYER, "misses"), bad) for bad in (-1, 1.0, True, "3", math.nan)],
        *[((name,), bad) for name in ("sup_error", "l2_error") for bad in (math.nan, -1.0, False, "1", None, 10**400)],
        *[(("output_error",), bad) for bad in ([], None, 1.0, "11", {"0": 1.0})],
        *[(("output_error", 1), bad) for bad in (math.nan, -1.0, None, True, [1.0])],
        *[(("layers",), bad) for bad in ([], None, {}, 1)],
        *[(LAYER, bad) for bad in ({}, None, [], 1.0)],
        ((*LAYER, "sup_error"), None),
        (("unknown",), 1.0),
        ((*LAYER, "unknown"), 1.0),
    ],
)
def test_data_that_claims_nothing_sensible_is_refused(path, value):
    data = copy.deepcopy(HONEST)
    assert written(read(data)) == HONEST
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InputError):
        read(data)


@pytest.mark.parametrize("path", [(name,) for name in BOUNDS.kinds] + [(*LAYER, name) for name in CLAIM.kinds])
def test_missing_entries_are_refused(path):
    data = copy.deepcopy(HONEST)
    place = data
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    with pytest.raises(InputError, match="expected the keys"):
        read(data)


def test_json_integers_are_numbers():
    data = copy.deepcopy(HONEST)
    data["layers"][0]["sup_error"] = data["sup_error"] = 1
    assert written(read(data)) == HONEST
    for other in ([], None, "bounds"):
        with pytest.raises(InputError, match="an object"):
            read(other)
