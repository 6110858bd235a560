"""scikit-learn's networks: `coefs_` are (in, out), the activation is known, the last function is left out."""

from typing import Any

import numpy as np

from slth._errors import InputError
from slth.graph import INPUT, Affine, Dense, Graph, Linear, Node, Pointwise, Target, chain

FUNCTIONS = {
    "identity": None,
    "logistic": Pointwise("Sigmoid"),
    "tanh": Pointwise("Tanh"),
    "relu": Pointwise("Relu"),
}


def is_estimator(source: Any) -> bool:
    """A scikit-learn estimator of any kind."""
    return any(kind.__module__.partition(".")[0] == "sklearn" for kind in type(source).__mro__)


def read_estimator(source: Any) -> Target:
    """A fitted MLPClassifier or MLPRegressor.

    A classifier's network ends before its softmax or logistic: the largest output, or the sign of the only one,
    decides.

    Raises:
        InputError: another kind of estimator, or one that is not fitted.
    """
    kinds = [kind.__name__ for kind in type(source).__mro__]
    if not {"MLPClassifier", "MLPRegressor"} & set(kinds):
        inner = getattr(source, "best_estimator_", None)
        if inner is not None:
            raise InputError(f"a {kinds[0]} chooses among networks; pass the one that it chose: best_estimator_")
        if "Pipeline" in kinds:
            raise InputError(
                "a Pipeline computes more than its network; pass the network, pipeline[-1], and what a StandardScaler "
                "before it does as mean=scaler.mean_, std=scaler.scale_"
            )
        raise InputError(f"of scikit-learn's estimators MLPClassifier and MLPRegressor are read; got {kinds[0]}")
    if not hasattr(source, "coefs_"):
        raise InputError(f"this {kinds[0]} is not fitted; call fit(x, y) first")
    if source.activation not in FUNCTIONS:
        raise InputError(f"this {kinds[0]} has the activation {source.activation!r}; expected {', '.join(FUNCTIONS)}")
    if "MLPRegressor" in kinds and source.out_activation_ != "identity":
        raise InputError(
            f"this {kinds[0]} ends in {source.out_activation_}, for which no rule is known; one of "
            "loss='squared_error' ends in its last layer"
        )
    layers = [
        Affine(np.ascontiguousarray(weight.T, np.float64)[:, :, None], np.asarray(bias, np.float64))
        for weight, bias in zip(source.coefs_, source.intercepts_, strict=True)
    ]
    return activated(layers, FUNCTIONS[source.activation])


def activated(
    layers: list[Affine],
    function: Pointwise | None,
    *,
    names: list[tuple[str, str | None]] | None = None,
    assumed: tuple[str, ...] = (),
) -> Target:
    """Dense layers with one function between them; with ReLU it is the chain."""
    plain = chain(layers, names=names, assumed=assumed)
    if function == Pointwise("Relu"):
        return plain
    nodes: list[Node] = []
    before = INPUT
    for i, (path, op) in enumerate(plain.graph.maps.items()):
        if i and function is not None:
            nodes.append(Node(f"{function.function.lower()}/{i - 1}", function, (before,)))
            before = nodes[-1].name
        assert isinstance(op.basis, Dense)
        nodes.append(Node(path, Linear(path, op.basis, op.bias), (before,)))
        before = path
    return Target(Graph(tuple(nodes)), plain.coefficients, names=plain.names, assumed=assumed)
