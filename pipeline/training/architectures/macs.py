"""What a network costs to run: multiply-accumulate operations for one image."""

from __future__ import annotations

import math

import keras
from keras import layers


def count_macs(model: keras.Model) -> int:
    """Counts the multiply-accumulates of convolutions and dense layers.

    Every weight of a kernel is used once for each place of the layer's output.
    As in the literature, biases, normalisation, activations, pooling and
    elementwise products are not counted. Layers that are called more than once
    count each time, and models inside the model count too.

    Args:
        model: A functional or sequential model with fixed input sizes, channels
            last.

    Returns:
        Multiply-accumulates for one image: half its floating-point operations.

    Raises:
        ValueError: If an input size is not fixed.
    """
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs)
    # The config is the public account of which calls of a layer belong to this model.
    calls = {layer["name"]: layer["inbound_nodes"] for layer in model.get_config()["layers"]}
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += count_macs(layer) * len(calls[layer.name])
        elif kernels := _kernels(layer):
            for call in calls[layer.name]:
                output = layer.compute_output_shape(tuple(call["args"][0]["config"]["shape"]))
                if None in output[1:]:
                    raise ValueError(
                        f"layer {layer.name} gives the shape {output}: build the model with a "
                        "fixed input size to count its operations"
                    )
                total += math.prod(output[1:-1]) * sum(math.prod(k.shape) for k in kernels)
    return total


def _kernels(layer: keras.Layer) -> tuple[keras.Variable, ...]:
    if isinstance(layer, layers.SeparableConv2D):
        return layer.depthwise_kernel, layer.pointwise_kernel
    if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)):
        return (layer.kernel,)
    return ()
