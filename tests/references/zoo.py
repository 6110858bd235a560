"""Networks as people write them: small ones, each with the shape of its input and one thing that makes it different.

`ZOO` maps a name to a function of no arguments that gives (module in evaluation mode, input shape). Statistics of
BatchNorm are random, as after training; nothing is trained.
"""

from references import zoo_classics, zoo_corners
from references.zoo_tools import ZOO, Does, conv_bn, trained

__all__ = ["ZOO", "Does", "conv_bn", "trained", "zoo_classics", "zoo_corners"]
