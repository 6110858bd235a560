"""What cannot be read is one sentence, by the name of the node, and says where the graph could be cut."""

import numpy as np
import onnx
import pytest
from helpers.onnx_models import behind_a_map, model
from onnx import TensorProto, helper

from slth import InputError
from slth.network import read_target

W = {"w": np.eye(4, dtype=np.float32)[:, :, None, None], "v": np.ones((2, 4), np.float32)}
CONV = ("Conv", "x w", "a", {})
HUGE = 10**12


def refused(made, sentence, **arguments):
    """Reading fails with one sentence."""
    with pytest.raises(InputError, match=sentence) as error:
        read_target(made, **arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (("Sin", "h", "y", {}), r"n1 \(node 1 of 2\): Sin is a function for which no rule is known"),
        (("Floor", "h", "y", {}), r"n1 .* Floor compares, orders or rounds values"),
        (("LayerNormalization", "h s", "y", {}), "is normalisation by the input's own size"),
        (("ArgMax", "h", "y", {}), "ArgMax compares, orders or rounds values"),
        (("Transpose", "h", "y", {"perm": [1, 0, 2, 3]}), "whose batch is moved away from axis 0"),
        (("Reshape", "h k", "y", {}), r"gives values of shape \(4, .*\); the examples of a batch must stay apart"),
        (("ReduceMean", "h", "y", {}), "goes over the batch too"),
        (("Concat", "h h", "y", {"axis": 0}), "acts along the batch"),
        (("Flatten", "h", "y", {"axis": 0}), "flattens up to axis 0, the batch with others"),
        (("Shrink", "h", "y", {"lambd": 0.5, "bias": 0.0}), "jumps at 0.5"),
        (("Cast", "h", "y", {"to": 7}), "rounds to whole numbers or bits"),
        (("Div", "s h", "y", {}), "divides by a value of the network"),
        (("Pad", "h p", "y", {}), "padding"),
        (("RandomNormalLike", "h", "y", {}), "draws random numbers"),
    ],
)
def test_an_operator_without_meaning_is_named(node, sentence):
    constants = {"s": np.ones(5, np.float32), "k": np.array([4, -1]), "p": np.array([1, 0, 0, 0, 0, 0, 0, 0])}
    if node[0] == "Pad":
        sentence = "pads the batch"
    refused(behind_a_map([node], shape=(4, 5, 5), constants=constants, opset=17), sentence)


def test_the_sentence_says_where_the_graph_can_be_cut_and_that_is_true():
    """A front that can be read, what cannot, and what lies behind it."""
    nodes = [CONV, ("Sin", "a", "b", {}), ("Relu", "b", "c", {}), ("Conv", "c w", "d", {}), ("Relu", "d", "y", {})]
    made = model(nodes, shape=(4, 3, 3), constants=W)
    text = refused(made, "Sin is a function")
    assert "cut, what lies before it by to_node='a' or what lies behind it by from_node='b'" in text
    assert [node.name for node in read_target(made, to_node="a").graph.nodes] == ["n0"]
    assert [node.name for node in read_target(made, from_node="b").graph.nodes] == ["n2", "n3", "n4"]


def test_behind_two_nodes_that_cannot_be_read_the_cut_is_behind_the_second():
    nodes = [("Sin", "x", "a", {}), CONV_B, ("Floor", "b", "c", {}), ("Conv", "c w", "y", {})]
    text = refused(model(nodes, shape=(4, 3, 3), constants=W), "Sin is a function")
    assert "to_node" not in text
    assert text.endswith("the graph can be cut, what lies behind it by from_node='c'")


CONV_B = ("Conv", "a w", "b", {})


def test_a_node_that_is_called_like_what_it_gives_begins_with_what_it_reads():
    """As TensorFlow's exporter names them; the advice then names the node behind."""
    nodes = [CONV, ("Sin", "a", "b", {}), ("Relu", "b", "c", {}), ("Conv", "c w", "y", {})]
    made = model(nodes, shape=(4, 3, 3), constants=W)
    for node in made.graph.node:
        node.name = node.output[0]
    text = refused(made, "Sin is a function")
    assert text.endswith("to_node='a' or what lies behind it by from_node='c'")
    assert [node.name for node in read_target(made, from_node="c").graph.nodes] == ["c", "y"]
    assert [node.name for node in read_target(made, to_node="a").graph.nodes] == ["a"]


def test_where_nothing_is_left_to_read_it_says_so():
    nodes = [("Sin", "x", "a", {}), ("Conv", "a w", "b", {}), ("Floor", "b", "y", {})]
    text = refused(model(nodes, shape=(4, 3, 3), constants=W), "Sin is a function")
    assert text.endswith("no part with a linear map can be read before or behind it")


def test_quantised_graphs_and_foreign_domains_are_refused():
    constants = {**W, "s": np.float32(0.1), "z": np.uint8(3)}
    nodes = [CONV, ("QuantizeLinear", "a s z", "q", {}), ("DequantizeLinear", "q s z", "y", {})]
    refused(
        model(nodes, shape=(4, 3, 3), constants=constants), "n1 .* belongs to a quantised graph, .* as it was before"
    )

    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 3, 3), constants=W)
    made.graph.node[1].domain = "com.microsoft"
    made.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    refused(made, "n1 .* Relu is of the domain com.microsoft, not of the standard ONNX operators")


def test_a_mirror_that_would_need_a_matrix_too_large_is_refused():
    made = model(
        [("Pad", "x p", "q", {"mode": "reflect"}), ("Conv", "q w", "y", {})],
        shape=(1, 9000),
        constants={"p": np.array([0, 0, 200, 0, 0, 200]), "w": np.ones((1, 1, 3), np.float32)},
    )
    refused(made, "takes 9,400 of 9,000 entries in 401 runs of neighbours, as mirrored padding does")


@pytest.mark.parametrize(
    ("node", "constants", "sentence"),
    [
        (("ConstantOfShape", "n", "k", {}), {}, "there would be 1,000,000,000,000 numbers, and 134,217,728 are read"),
        (("Range", "zero n1 one", "k", {}), {}, "there would be 1,000,000,000,000 numbers"),
        (("Expand", "zero n", "k", {}), {}, "there would be 1,000,000,000,000 numbers"),
        (("OneHot", "zero n1 ends", "k", {}), {"ends": np.float32([0, 1])}, "numbers, and 134,217,728 are read"),
        (("Tile", "h r", "k", {}), {"r": np.array([1, 1, 1, HUGE])}, "puts 1,000,000,000,000 copies side by side"),
        (("Expand", "s r", "k", {}), {"r": np.array([1, 1, 1, HUGE])}, "has more than 134,217,728 numbers"),
        (("Pad", "h p", "k", {"mode": "edge"}), {"p": np.array([0, 0, 0, HUGE, 0, 0, 0, 0])}, "at most 16,777,216"),
        (("Pad", "h p", "k", {}), {"p": np.array([0, 0, 0, HUGE, 0, 0, 0, 0])}, "has more than 134,217,728 numbers"),
        (("Resize", "h - f", "k", {}), {"f": np.float32([1, 1, 1e12, 1])}, "needs a matrix of"),
        (("AveragePool", "h", "k", {"kernel_shape": [HUGE, 1], "pads": [HUGE - 1, 0, HUGE, 0]}), {}, "needs a matrix"),
    ],
)
def test_more_numbers_than_a_network_can_hold_are_refused_before_they_are_made(node, constants, sentence):
    whole = {"n": np.array([HUGE]), "n1": np.int64(HUGE), "zero": np.int64(0), "one": np.int64(1)}
    nodes = [
        ("GlobalAveragePool", "h", "s", {}),
        node,
        ("ReduceMax", "k", "m", {"keepdims": 0}),
        ("Add", "h m", "y", {}),
    ]
    refused(behind_a_map(nodes, shape=(4, 4, 4), constants={**whole, **constants}, opset=17), sentence)
    with pytest.raises(InputError, match=r"one input of shape .* has more than 134,217,728 numbers"):
        read_target(model([("Relu", "x", "y", {})], shape=(HUGE, HUGE)))


def test_a_clip_whose_lower_bound_is_the_largest_number_is_refused():
    """It gives its upper bound everywhere; where inputs lie above that, it looks like a Clip without the lower one."""
    constants = {"l": np.finfo(np.float32).max, "u": np.float32(-3)}
    refused(behind_a_map([("Clip", "h l u", "y", {})], shape=(2,), constants=constants), r"has bounds 3.4\d*e\+38 > -3")


@pytest.mark.parametrize(
    ("node", "constants"),
    [(("Mod", "s k", "m", {}), {"k": np.array([2])}), (("Equal", "s k", "m", {}), {"k": np.array([1])})],
)
def test_a_graph_that_asks_if_the_batch_is_even_or_one_is_refused(node, constants):
    """The numbers that stand for the batch are odd primes."""
    nodes = [CONV, ("Shape", "a", "s", {"end": 1}), node, ("Cast", "m", "f", {"to": 1}), ("Add", "a f", "y", {})]
    refused(model(nodes, shape=(4, 3, 3), constants={**W, **constants}), "what was read differs from what onnxruntime")


def test_indices_that_do_not_run_through_the_batch_are_refused():
    """They write into the first example only."""
    constants = {"w": np.eye(4, dtype=np.float32), "i": np.array([[[0, 1]]]), "u": np.zeros((1, 1), np.float32)}
    nodes = [("Gemm", "x w", "a", {}), ("ScatterND", "a i u", "y", {})]
    refused(model(nodes, shape=(4,), constants=constants), "ScatterND writes at indices of its own in each example")


def test_a_stack_of_matrices_puts_axes_before_the_batch():
    constants = {"v": np.ones((1, 4, 2), np.float32)}
    refused(behind_a_map([("MatMul", "h v", "y", {})], shape=(4,), constants=constants), "puts axes before the batch")


@pytest.mark.parametrize(("field", "value"), [("raw_data", b"\0\0\0"), ("dims", [10**12, 4, 1, 1]), ("data_type", 99)])
def test_tensors_that_are_broken_are_named(field, value):
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 3, 3), constants=W)
    tensor = made.graph.initializer[0]
    if field == "dims":
        tensor.dims[:] = value
    else:
        setattr(tensor, field, value)
    refused(made, "the numbers of w do not fit its shape and type .*; the file is damaged")
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 3, 3), constants=W)
    made.graph.input[0].type.tensor_type.elem_type = 77
    refused(made, "the input x holds unknown numbers")


def test_a_branch_that_is_not_there_is_said():
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 3, 3), constants={**W, "true": np.bool_(True)})
    made.graph.node[1].op_type, made.graph.node[1].input[0] = "If", "true"
    made.graph.output[0].name = "z"
    made.graph.node.append(helper.make_node("Add", ["a", "y"], ["z"]))
    refused(made, "If has no then_branch")


def test_names_of_operators_are_printed_without_control_characters():
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 3, 3), constants=W)
    made.graph.node[1].op_type = "Si\nn"
    refused(made, r"n1 \(node 1 of 2\): Si\\nn is no valid node")


def test_inputs_and_outputs_are_one_each_or_chosen():
    nodes = [CONV, ("Relu", "a", "y", {}), ("Sigmoid", "a", "z", {})]
    made = model(nodes, shape=(4, 3, 3), constants=W, output="y z")
    refused(made, r"gives 2 outputs \(y, z\); .* to_node=NAME")
    assert read_target(made, to_node="z").graph.nodes[-1].name == "n2"
    assert read_target(made, to_node="n1").graph.nodes[-1].name == "n1"

    two = model([("Add", "x u", "s", {}), ("Conv", "s w", "y", {})], shape=(4, 3, 3), constants=W)
    two.graph.input.append(helper.make_tensor_value_info("u", TensorProto.FLOAT, ["batch", 4, 3, 3]))
    refused(two, r"y reads 2 inputs \(x, u\); .* from_node=NODE")
    assert len(read_target(two, from_node="s").graph.nodes) == 1

    constant = model([("Conv", "x w", "a", {}), ("Relu", "v", "y", {})], shape=(4, 3, 3), constants=W)
    refused(constant, "reads no input")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"from_node": "nn0"}, "from_node: the graph has no node or value 'nn0'; did you mean 'n0'"),
        ({"to_node": "nowhere"}, "to_node: the graph has no node or value 'nowhere'"),
        ({"from_node": "n3"}, r"n3 reads 2 values \(b, c\); name the value to begin at"),
        ({"from_node": "b"}, r"behind the cut at b the graph still reads its input x"),
        ({"from_node": "y", "to_node": "a"}, "a does not depend on y"),
        ({"from_node": "a", "input_shape": (4, 3)}, r"input_shape says \(4, 3\), the file says"),
    ],
)
def test_a_cut_that_cannot_be_made_is_one_sentence(arguments, sentence):
    nodes = [CONV, ("Relu", "a", "b", {}), ("Sigmoid", "a", "c", {}), ("Add", "b c", "y", {})]
    refused(model(nodes, shape=(4, 3, 3), constants=W), sentence, **arguments)


def test_a_shape_that_is_needed_is_asked_for():
    nodes = [CONV, ("GlobalAveragePool", "a", "y", {})]
    made = model(nodes, shape=(4, "height", 3), constants=W)
    refused(made, r"the input x has shape \(batch, 4, height, 3\) in the file, .* give input_shape, 3 numbers")
    assert read_target(made, input_shape=(4, 5, 3)).input_shape == (4, 5, 3)
    refused(made, r"input_shape says \(4, 5, 4\), the file says \(batch, 4, height, 3\)", input_shape=(4, 5, 4))
    flat = model([("Relu", "x", "y", {})], shape=())
    refused(flat, r"the input x has shape \(batch\), so there is no axis for the batch")


def test_inputs_that_are_no_real_numbers_are_refused():
    made = model([("Cast", "x", "a", {"to": 1}), ("Conv", "a w", "y", {})], shape=(4, 3, 3), constants=W)
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    refused(made, "the input x holds int64 numbers; .* begin behind the node that makes them real, from_node=NODE")
    assert read_target(made, from_node="a").input_shape == (4, 3, 3)


def test_what_depends_on_the_size_of_the_batch_is_refused():
    """x divided by the number of examples: at every batch another network."""
    nodes = [
        CONV,
        ("Shape", "a", "s", {"end": 1}),
        ("Cast", "s", "n", {"to": 1}),
        ("Div", "a n", "y", {}),
    ]
    refused(model(nodes, shape=(4, 3, 3), constants=W), "depends on the size of the batch")


def test_weights_that_are_broken_are_named_and_no_cut_is_offered():
    broken = {**W, "w": W["w"] * np.float32(np.nan)}
    nodes = [("Conv", "x u", "a", {}), ("Conv", "a w", "b", {}), ("Conv", "b u", "y", {})]
    made = model(nodes, shape=(4, 3, 3), constants={**broken, "u": W["w"]})
    text = refused(made, "w holds nan at")
    assert text.endswith("clean it")


def test_a_network_without_a_map_is_refused():
    refused(model([("Relu", "x", "y", {})], shape=(3,)), "no linear map with constant weights")


@pytest.mark.parametrize("kind", ["Loop", "If"])
def test_control_flow_by_the_input_is_refused(kind):
    body = helper.make_graph([], "body", [], [])
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 3, 3), constants=W)
    node = helper.make_node(kind, ["a"], ["y"], name="n1", then_branch=body, else_branch=body)
    del made.graph.node[1]
    made.graph.node.append(node)
    from slth.network.reading.onnx.cut import part_of
    from slth.network.reading.onnx.walk import draft_of

    with pytest.raises(InputError, match="runs a part of the graph as the input decides"):
        draft_of(made, part_of(made, from_node=None, to_node=None, input_shape=None))


def test_attributes_of_nonsense_are_a_sentence_and_no_crash():
    for name, value, sentence in [
        ("strides", [0, 0], r"n0 \(node 0 of 1\): Conv has attributes or inputs that do not fit together"),
        ("group", 3, "3 groups do not divide"),
        ("pads", [1], "pads has incorrect size|do not fit together"),
        ("strides", [2, 2, 2], "do not fit together"),
        ("kernel_shape", [3, 3], "kernel_shape is not compatible with W shape"),
        ("auto_pad", "ANY", "has the padding 'ANY'; NOTSET, VALID, SAME_UPPER and SAME_LOWER are known"),
    ]:
        made = model([("Conv", "x w", "y", {})], shape=(4, 3, 3), constants=W)
        made.graph.node[0].attribute.append(helper.make_attribute(name, value))
        refused(made, sentence)


def test_orders_and_activations_are_for_state_dicts_and_cuts_for_graphs():
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 3, 3), constants=W)
    refused(made, "order and activation are for state dicts", activation="relu")
    with pytest.raises(InputError, match="from_node and to_node cut an ONNX graph"):
        read_target({"weight": np.eye(2)}, to_node="y")
    assert onnx.checker.check_model(made) is None
