"""The dictionary of axes. An axis name means the same thing in every file.

batch   independent problems or inputs
n       candidates of one subset-sum problem
d       coordinates of a vector candidate
piece   intervals that do not touch each other
out     outputs of a linear map (rows of a weight matrix)
row     outputs that one input reaches: out / groups
inp     inputs of a linear map (columns of a weight matrix)
group   groups of channels; an output reads the inputs of its own
tap     fixed basis maps per input: 1 for a dense map, kernel positions for a convolution
pair    (row, tap) of a map, row outermost; `w` those of one problem or mask: of a bias, rows alone
neuron  neurons of a random lift; `live` those that serve a slot
slot    what a lift neuron can serve: (input, sign) pairs, then the constant
train   examples of the training part of a data set; `test` those of its test part
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8, UInt32, UInt64

Values = Float64[np.ndarray, " n"]
ValuesBatch = Float64[np.ndarray, "batch n"]
Targets = Float64[np.ndarray, " batch"]
Vectors = Float64[np.ndarray, "n d"]
Vector = Float64[np.ndarray, " d"]
Pieces = Float64[np.ndarray, "piece 2"]
Kept = Bool[np.ndarray, " n"]
KeptBatch = Bool[np.ndarray, "batch n"]
PackedRows = UInt64[np.ndarray, " batch"]
Errors = Float64[np.ndarray, " batch"]
Codes = UInt8[np.ndarray, " batch"]

Coefficient = Float64[np.ndarray, "row inp tap"]
Bias = Float64[np.ndarray, " out"]
Input = Float64[np.ndarray, " inp"]
Inputs = Float64[np.ndarray, "batch inp"]
Matrix = Float64[np.ndarray, "out inp"]
Outputs = Float64[np.ndarray, "batch out"]
Signed = Bool[np.ndarray, " inp"]
OutputValues = Float64[np.ndarray, "batch ..."]  # with all axes of the outputs
AnyOutputs = Float32[np.ndarray, "batch ..."] | Float64[np.ndarray, "batch ..."]
Classes = Int64[np.ndarray, "batch ..."]  # one for each input, or one for each position of it
Verdicts = Bool[np.ndarray, "batch ..."]

TrainInputs = Float32[np.ndarray, "train inp"]
TrainLabels = Int64[np.ndarray, " train"]
TestInputs = Float32[np.ndarray, "test ..."]
TestLabels = Int64[np.ndarray, " test"]
TrainY = Int64[np.ndarray, "train ..."] | Float64[np.ndarray, "train ..."] | None  # labels, numbers, or nothing known
TestY = Int64[np.ndarray, "test ..."] | Float64[np.ndarray, "test ..."] | None
Pixels = UInt8[np.ndarray, "..."]
Parameter = Float32[np.ndarray, "..."]

Words = UInt32[np.ndarray, " count"]
RawWords = UInt32[np.ndarray, "..."]  # of a stream, in any order
Draws = Float32[np.ndarray, "..."]
Rows = Float32[np.ndarray, "rows width"]
Indices = Int64[np.ndarray, " count"]
Bits = UInt8[np.ndarray, "_"]  # any number of bytes
