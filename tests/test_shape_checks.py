"""The suite checks shapes at run time: of every function and record whose signature names one."""

import jaxtyping
import numpy as np
import pytest

from slth.graph import Affine
from slth.numerics.convolutions import convolution_norm_bound
from slth.subsetsum._exact import sum_error


def test_a_wrong_shape_stops_a_function_and_a_record():
    assert sum_error(np.array([0.5]), 0.5, np.array([True])) == 0
    with pytest.raises(jaxtyping.TypeCheckError):
        sum_error(np.array([0.5]), 0.5, np.array([True, False]))
    with pytest.raises(jaxtyping.TypeCheckError):
        Affine(np.ones((2, 2)), None)


def test_the_checks_can_be_taken_off(unchecked):
    with pytest.raises(ValueError, match="shape"):
        Affine(np.ones((2, 2)), None)


def test_a_name_that_a_module_gives_a_shape_is_one():
    """`Kernel` of `numerics.convolutions`, which is made of jaxtyping's."""
    with pytest.raises(jaxtyping.TypeCheckError):
        convolution_norm_bound(np.ones((2, 2)), stride=(1,), dilation=(1,))
