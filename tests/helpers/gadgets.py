"""Gadgets for tests, in one line."""

from dataclasses import replace

from slth.ticket import Stage, TwoLayer


def one_stage(candidates, constants, neurons, signed, gain, bias_gain):
    """Two random layers, of one stage."""
    return TwoLayer((Stage(candidates, constants, neurons, gain, bias_gain),), signed)


def staged(gadget, **changed):
    """The same with another number in its first stage, which is its only one; or in itself, if it has none."""
    if not isinstance(gadget, TwoLayer):
        return replace(gadget, **changed)
    return replace(gadget, stages=(replace(gadget.stages[0], **changed),))
