"""One ONNX network out of several: the mean of their calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper, version_converter

from pipeline.errors import ModelLoadError
from pipeline.labels import NUM_EMOTIONS

_INT64_MIN = -(2**63)


def merge(
    networks: Sequence[onnx.ModelProto],
    temperatures: Sequence[float],
    *,
    size: int,
    views: str = "none",
) -> onnx.ModelProto:
    """Joins networks that take the same input and end in a softmax.

    Each member's answer is `softmax(log p / T)`, as in `with_temperature`; the
    joint answer is their mean, over the face and its mirror image if asked for.
    A mirrored face goes through the same weights in the same batch, so the file
    is no larger for it.

    Args:
        networks: Each takes `float32`, shape `(n, size, size, 1)`, and gives
            probabilities, shape `(n, 7)`.
        temperatures: The members' own, in the same order.
        size: Height and width of the input.
        views: `none` or `flip`.

    Returns:
        A network with the input `faces` and the output `scores`, shaped alike.

    Raises:
        ModelLoadError: If the networks cannot be joined.
    """
    try:
        return _merge(networks, temperatures, size, views)
    except (ValueError, RuntimeError, onnx.checker.ValidationError) as error:
        raise ModelLoadError(f"the members' networks cannot be joined: {error}") from error


def _merge(
    networks: Sequence[onnx.ModelProto], temperatures: Sequence[float], size: int, views: str
) -> onnx.ModelProto:
    opset = max(_opset(network) for network in networks)
    constants = [_constant("least", np.float32(np.finfo(np.float32).tiny))]
    nodes: list[onnx.NodeProto] = []
    if views == "flip":
        constants += [
            _constant(name, np.array([value], np.int64))
            # From the last column to before the first, as numpy's `[:, :, ::-1]`.
            for name, value in (("last", -1), ("end", _INT64_MIN), ("width", 2), ("back", -1))
        ]
        nodes += [
            helper.make_node("Slice", ["faces", "last", "end", "width", "back"], ["mirrored"]),
            helper.make_node("Concat", ["faces", "mirrored"], ["views"], axis=0),
        ]
    seen = "views" if views == "flip" else "faces"
    answers = []
    for number, (network, temperature) in enumerate(zip(networks, temperatures, strict=True)):
        part = compose.add_prefix(_at_opset(network, opset), f"member_{number}/").graph
        if len(part.input) != 1 or len(part.output) != 1:
            raise ValueError(
                f"expected one input and one output, got {len(part.input)} and {len(part.output)}"
            )
        constants += [*part.initializer]
        constants.append(_constant(f"temperature_{number}", np.float32(temperature)))
        nodes.append(helper.make_node("Identity", [seen], [part.input[0].name]))
        nodes += part.node
        nodes += _calibration(part.output[0].name, number)
        answers.append(f"calibrated_{number}")
    nodes.append(helper.make_node("Mean", answers, ["mean" if views == "flip" else "scores"]))
    if views == "flip":
        nodes += _mean_of_halves("mean")
        constants += [
            _constant("halves", np.array([2, -1, NUM_EMOTIONS], np.int64)),
            _constant("first", np.int64(0)),
            _constant("second", np.int64(1)),
        ]
    return _model(nodes, constants, networks, size, opset)


def _calibration(scores: str, number: int) -> list[onnx.NodeProto]:
    """`softmax(log p / T)`, with a probability of zero taken for the least above it."""
    names = [scores, *(f"{step}_{number}" for step in ("above_zero", "log", "logits"))]
    return [
        helper.make_node("Max", [names[0], "least"], [names[1]]),
        helper.make_node("Log", [names[1]], [names[2]]),
        helper.make_node("Div", [names[2], f"temperature_{number}"], [names[3]]),
        helper.make_node("Softmax", [names[3]], [f"calibrated_{number}"], axis=-1),
    ]


def _mean_of_halves(name: str) -> list[onnx.NodeProto]:
    """The mean of the first half of the rows and the second, as `scores`."""
    return [
        helper.make_node("Reshape", [name, "halves"], ["by_view"]),
        helper.make_node("Gather", ["by_view", "first"], ["of_face"], axis=0),
        helper.make_node("Gather", ["by_view", "second"], ["of_mirrored"], axis=0),
        helper.make_node("Mean", ["of_face", "of_mirrored"], ["scores"]),
    ]


def _model(
    nodes: list[onnx.NodeProto],
    constants: list[onnx.TensorProto],
    networks: Sequence[onnx.ModelProto],
    size: int,
    opset: int,
) -> onnx.ModelProto:
    faces = helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", size, size, 1])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", NUM_EMOTIONS])
    graph = helper.make_graph(nodes, "ensemble", [faces], [scores], constants)
    used = {node.domain for node in nodes} - {"", "ai.onnx"}
    others = {
        item.domain: item.version
        for network in networks
        for item in network.opset_import
        if item.domain in used
    }
    opsets = [helper.make_opsetid(domain, version) for domain, version in others.items()]
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", opset), *opsets],
        ir_version=max(network.ir_version for network in networks),
        functions=[],
    )
    onnx.checker.check_model(model)
    return model


def _opset(network: onnx.ModelProto) -> int:
    return max(item.version for item in network.opset_import if item.domain in ("", "ai.onnx"))


def _at_opset(network: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    if _opset(network) == opset:
        return network
    return version_converter.convert_version(network, opset)


def _constant(name: str, value: np.ndarray | np.generic) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value), name)
