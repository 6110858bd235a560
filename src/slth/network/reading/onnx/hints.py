"""What to say of an ONNX operator that no table knows, in half a sentence."""

from slth.network.reading import hints
from slth.network.reading.onnx.files import STANDARD
from slth.network.reading.operators.choices import JUMP

JUMPS = (
    "ArgMax ArgMin Ceil Floor Round Sign Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor TopK NonZero "
    "Hardmax Mod IsNaN IsInf Compress Unique OneHot"
)
QUANTISED = "QuantizeLinear DequantizeLinear DynamicQuantizeLinear ConvInteger MatMulInteger"
RANDOM = "RandomNormal RandomUniform RandomNormalLike RandomUniformLike Bernoulli Multinomial"
DECIDES = "If Loop Scan"
HINTS = {
    JUMPS: JUMP,
    RANDOM: "draws random numbers; a network must compute the same each time",
    DECIDES: "runs a part of the graph as the input decides; a network that takes the same steps for each is read",
    "LSTM GRU RNN": hints.why("lstm"),
    "Attention MultiHeadAttention": hints.why("scaled_dot_product_attention"),
}


def why(kind: str, domain: str = "") -> str:
    """What to say of an operator.

    >>> why("Sin").partition(";")[0]
    'is a function for which no rule is known'
    """
    if domain not in STANDARD:
        return (
            f"is of the domain {domain}, not of the standard ONNX operators; export the model without the "
            "optimisations of one runtime"
        )
    if kind in QUANTISED.split() or kind.startswith("QLinear"):
        return "belongs to a quantised graph, and real numbers are read; give the model as it was before"
    found = next((hint for names, hint in HINTS.items() if kind in names.split()), None)
    return hints.why(kind.lower()) if found is None else found
