"""Gadgets for tests, in one line."""

from dataclasses import replace

from slth.ticket import Counts, Doubling, Grid, Merged, Plain, Single, SinglePlain, Stage, TwoLayer


def one_stage(candidates, constants, neurons, signed, gain, bias_gain):
    """Two random layers, of one stage."""
    return TwoLayer((Stage(candidates, constants, neurons, gain, bias_gain),), signed)


def merged(candidates, constants, neurons, signed, gain, bias_gain):
    """The two random projections of merged ones."""
    return Merged((Stage(candidates, constants, neurons, gain, bias_gain),), signed)


def single(candidates, constants, neurons, signed, gain, bias_gain):
    """Two random layers, of which one product is kept for a weight."""
    return Single(candidates, constants, neurons, signed, gain, bias_gain)


def counts(candidates, constants, neurons, signed, gain, bias_gain):
    """Two layers of ±1; gains that are no powers of two."""
    return Counts(candidates, constants, neurons, signed, 0.75 * gain, 0.75 * bias_gain)


def plain(candidates, constants, _, signed, gain, bias_gain):
    """Parallel edges."""
    return Plain(candidates, constants, signed, gain, bias_gain)


def single_plain(candidates, constants, _, signed, gain, bias_gain):
    """Parallel edges, of which one is kept for a weight."""
    return SinglePlain(candidates, constants, signed, gain, bias_gain)


def doubling(candidates, constants, _, signed, gain, bias_gain):
    """A deep network of ±1: three digits."""
    return Doubling(max(candidates, 2), 3, (0, 0, 0), signed, gain, bias_gain)


def grid(candidates, constants, neurons, signed, gain, bias_gain):
    """Two layers of numbers of finite precision."""
    return Grid(candidates, constants, neurons, signed, gain, bias_gain, 4)


def staged(gadget, **changed):
    """The same with another number in its first stage, which is its only one; or in itself, if it has none."""
    if not isinstance(gadget, TwoLayer):
        return replace(gadget, **changed)
    return replace(gadget, stages=(replace(gadget.stages[0], **changed),))
