"""Letters that many theorems have: one meaning, one range, wherever they stand."""

from slth.theory._theorem import Letter

EPSILON = Letter(meaning="the largest error of a sum", above=0, below=1, trend="falls")
NETWORK_ERROR = Letter(
    meaning="the largest error of the network, over inputs of norm at most 1", above=0, below=1, trend="falls"
)
DELTA = Letter(meaning="the chance of failure", default=0.01, above=0, below=1, trend="falls")
WIDTH = Letter(meaning="inputs of the target's layer", whole=True, least=1, most=10**9, trend="rises")
OUTPUTS = Letter(meaning="outputs of the target's layer", default="d", whole=True, least=1, most=10**9, trend="rises")
LAYERS = Letter(meaning="layers (matrices) of the target", default=1, whole=True, least=1, most=10**6, trend="rises")
WEIGHTS = Letter(
    meaning="weights of the target that all have to be met", default=1, whole=True, least=1, most=10**15, trend="rises"
)
