"""What the operators of ONNX are in the vocabulary of `slth.graph`: one table, by name.

Opsets that say a thing in another way (an attribute that became an input, another default) are told apart where the
operator is read. What an operator does is told in one place for PyTorch and ONNX: `slth.network.reading.operators`.
"""

from slth.network.reading.onnx.call import Operator
from slth.network.reading.onnx.operators import arithmetic, axes, functions, maps, parts, pools

OPERATORS: dict[str, Operator] = {
    **maps.TABLE,
    **functions.TABLE,
    **arithmetic.TABLE,
    **pools.TABLE,
    **axes.TABLE,
    **parts.TABLE,
}

__all__ = ["OPERATORS"]
