"""What to do about an operator that has no meaning here, in half a sentence."""

RANDOM = ("rand", "bernoulli", "normal", "multinomial", "dropout")
CALLED = {
    "_native_batch_norm_legit_no_training": "batch_norm",
    "_native_batch_norm_legit": "batch_norm",
    "native_batch_norm": "batch_norm",
    "native_dropout": "dropout",
    "linalg_vector_norm": "norm",
    "im2col": "unfold",
    "col2im": "fold",
}
READ = "linear maps, convolutions, pools, activations and arithmetic with constants are"
HINTS = {
    "layer_norm group_norm native_layer_norm native_group_norm rms_norm _fused_rms_norm norm linalg_vector_norm var "
    "std var_mean std_mean": "is normalisation by the input's own size, which cannot be read; BatchNorm, "
    "whose statistics are constants, is",
    "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell": "is a recurrent layer, which cannot be read; convolutions and "
    "dense layers are",
    "scaled_dot_product_attention _native_multi_head_attention _transformer_encoder_layer_fwd": "is attention, which "
    "cannot be read; dense and convolutional layers are",
    "embedding embedding_bag _embedding_bag": "looks up a table, and a network of real numbers is read; pass the part "
    "of the model behind it",
    "exp log sin cos tan erf erfc sqrt rsqrt reciprocal atan asin acos sinh cosh log1p expm1 log2 log10 exp2": "is a "
    "function for which no rule is known; relu, leaky and P-ReLU, clamp, sigmoid, tanh, softplus, ELU, SELU, CELU, "
    "GELU, SiLU, Mish and their hard forms are read",
}


def called(op: str) -> str:
    """An operator as people call it.

    >>> called("_native_batch_norm_legit_no_training.default")
    'batch_norm'
    """
    base = op.partition(".")[0]
    return CALLED.get(base, base)


def why(op: str) -> str:
    """What to say of an operator that no table knows.

    >>> why("sin.default").partition(";")[0]
    'is a function for which no rule is known'
    """
    base = op.partition(".")[0]
    if any(word in base for word in RANDOM):
        return f"draws random numbers; {READ} read"
    return next((hint for names, hint in HINTS.items() if base in names.split()), f"is no op that can be read; {READ}")
