"""Keras' own layers, trained twice as fast on a CPU with TensorFlow.

Weights, configuration and results are those of the layers that they replace, which
`plain_layer` puts back before a model is handed on. On other backends they are
Keras' own layers. Images are channels last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

_PACKAGE = "ferlab"

# With fewer channels oneDNN's own kernel is as fast as the product of matrices.
_MIN_CHANNELS = 128


@keras.saving.register_keras_serializable(_PACKAGE)
class FastBatchNormalization(layers.BatchNormalization):
    """Batch normalisation by TensorFlow's one kernel for it.

    Keras computes it from elementary operations in `float32`, each of which reads
    and writes all activations; the kernel takes them as they are, in `bfloat16` too.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """See `keras.layers.BatchNormalization.call`."""
        if keras.backend.backend() != "tensorflow" or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        learns = bool(training and self.trainable)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=[] if learns else tf.convert_to_tensor(self.moving_mean),
            variance=[] if learns else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=learns,
        )
        if learns:
            number = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
            # The kernel gives the sample's variance, Keras averages the population's.
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance * (1 - 1 / number))
        return outputs

    def _follow(self, average: Any, value: Any) -> None:
        average.assign(self.momentum * average + (1 - self.momentum) * value)


@keras.saving.register_keras_serializable(_PACKAGE)
class FastConv2D(layers.Conv2D):
    """A convolution whose kernel's gradient is one product of matrices, in `bfloat16`.

    oneDNN's kernel for that gradient is slow with the matrix units (AMX) of recent
    processors where maps are small and channels many: up to ten times slower than
    the product. Other convolutions are left to Keras.
    """

    def call(self, inputs: Any) -> Any:
        """See `keras.layers.Conv2D.call`."""
        if (
            keras.backend.backend() != "tensorflow"
            or self.compute_dtype != "bfloat16"
            or inputs.shape[-1] < _MIN_CHANNELS
            or self.use_bias
            or self.padding != "same"
            or (self.strides, self.dilation_rate, self.groups) != ((1, 1), (1, 1), 1)
        ):
            return super().call(inputs)
        return self.activation(_convolution(inputs, self.kernel))


def _convolution(inputs: Any, kernel: Any) -> Any:
    """A `same` convolution of stride 1, its gradient as `FastConv2D` has it."""
    import tensorflow as tf

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolve(images: Any, weights: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            to_images = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(images),
                filter=weights,
                out_backprop=upstream,
                strides=[1, 1, 1, 1],
                padding="SAME",
            )
            height, width, channels, filters = weights.shape
            to_weights = tf.matmul(
                tf.reshape(_patches(images, height, width), (-1, height * width * channels)),
                tf.reshape(upstream, (-1, filters)),
                transpose_a=True,
            )
            return to_images, tf.reshape(to_weights, weights.shape)

        return tf.nn.conv2d(images, weights, 1, "SAME"), gradient

    return convolve(inputs, tf.cast(tf.convert_to_tensor(kernel), inputs.dtype))


def _patches(images: Any, height: int, width: int) -> Any:
    """What each place of a `same` convolution sees, `(n, rows, columns, height * width * c)`."""
    import tensorflow as tf

    rows, columns = images.shape[1:3]
    around = [[(side - 1) // 2, side // 2] for side in (height, width)]
    padded = tf.pad(images, [[0, 0], *around, [0, 0]])
    return tf.concat(
        [
            padded[:, top : top + rows, left : left + columns]
            for top in range(height)
            for left in range(width)
        ],
        axis=-1,
    )


_PLAIN = {
    f"{_PACKAGE}>{fast.__name__}": plain.__name__
    for fast, plain in (
        (FastBatchNormalization, layers.BatchNormalization),
        (FastConv2D, layers.Conv2D),
    )
}


def plain_layer(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    """A layer's serialised form, of Keras' own class where it was one of these."""
    plain = _PLAIN.get(str(layer.get("registered_name")))
    if plain is None:
        return layer
    return {**layer, "module": "keras.layers", "class_name": plain, "registered_name": None}
