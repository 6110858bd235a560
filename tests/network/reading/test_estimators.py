"""scikit-learn's networks are read from the estimator: (in, out), its own activation, before the last function."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from slth import InputError
from slth.graph import chain_of, evaluate
from slth.network import read_target

X = np.random.default_rng(0).normal(size=(40, 4))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)


def fitted(kind, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three steps do not converge
        return kind(hidden_layer_sizes=(4, 4), max_iter=3, random_state=0, **options).fit(X, y)


def outputs(estimator):
    target = read_target(estimator)
    return evaluate(target.graph, target.coefficients, X, target.carried)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_a_regressor_is_what_it_predicts(activation):
    """Hidden layers are square: untransposed they would fit as well."""
    estimator = fitted(MLPRegressor, X @ np.ones((4, 2)), activation=activation)
    np.testing.assert_allclose(outputs(estimator), estimator.predict(X), rtol=0, atol=1e-13)


def test_a_classifier_is_read_before_its_softmax():
    estimator = fitted(MLPClassifier, LABELS)
    logits = outputs(estimator)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(chances, estimator.predict_proba(X), rtol=0, atol=1e-13)


def test_a_binary_classifier_decides_by_the_sign_of_one_output():
    estimator = fitted(MLPClassifier, LABELS > 0)
    logits = outputs(estimator)
    assert logits.shape == (40, 1)
    assert ((logits[:, 0] > 0) == estimator.predict(X)).all()


def test_a_relu_estimator_is_a_chain():
    target = read_target(fitted(MLPClassifier, LABELS))
    assert chain_of(target.graph) == ([4, 4, 4, 3], [True] * 3)
    assert target.assumed == ()


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: MLPClassifier(), r"this MLPClassifier is not fitted; call fit\(x, y\) first"),
        (
            lambda: GridSearchCV(MLPClassifier(max_iter=1), {"alpha": [1e-4]}, cv=2).fit(X, LABELS > 0),
            "best_estimator_",
        ),
        (lambda: make_pipeline(StandardScaler(), MLPClassifier(max_iter=1)).fit(X, LABELS), r"pipeline\[-1\].*mean="),
        (lambda: fitted(MLPRegressor, abs(X[:, 0]), loss="poisson"), "ends in exp, for which no rule is known"),
        (lambda: LogisticRegression(), "MLPClassifier and MLPRegressor are read; got LogisticRegression"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_other_estimators_are_refused(build, sentence):
    with pytest.raises(InputError, match=sentence):
        read_target(build())
