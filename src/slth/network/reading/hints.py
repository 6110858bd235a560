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
    "norm linalg_vector_norm var std var_mean std_mean": "is normalisation by the input's own size as no layer of "
    "PyTorch does it, which cannot be read; LayerNorm, RMSNorm, GroupNorm, BatchNorm, also written out, are",
    "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell": "is a recurrent layer, which cannot be read; convolutions and "
    "dense layers are",
    "_native_multi_head_attention _transformer_encoder_layer_fwd": "is attention on a fast path of PyTorch, which "
    "cannot be read; in evaluation mode torch.export does not take it",
    "embedding_bag _embedding_bag": "sums rows of a table, which cannot be read; nn.Embedding is",
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
