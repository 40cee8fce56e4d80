"""What a served network sees in a face before it decides: the input of its last layer.

Faces that the network takes for alike lie close together there, whatever their
pixels. The features come out of `model.onnx` itself, which is given one more
output in memory; nothing is trained or converted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnxruntime

from pipeline.errors import ModelLoadError
from pipeline.progress import Progress, no_progress
from pipeline.recognition.classifier import BATCH_SIZE, EmotionClassifier, open_session
from pipeline.recognition.contract import MODEL_ONNX, ModelContract

if TYPE_CHECKING:
    import onnx

Float = npt.NDArray[np.float32]

_WEIGHTED = ("MatMul", "Gemm", "Conv")
# What may stand between the last layer with weights and the scores: each passes on what it is
# given, or sums it up over the image.
_PASSED = (
    "Add",
    "Cast",
    "Flatten",
    "GlobalAveragePool",
    "Identity",
    "ReduceMean",
    "Reshape",
    "Softmax",
    "Squeeze",
    "Transpose",
)


class ModelEmbedding:
    """A trained network up to its last layer; threads may share one instance."""

    def __init__(
        self, contract: ModelContract, session: onnxruntime.InferenceSession, output: str
    ) -> None:
        self.contract = contract
        self._session = session
        self._output = output

    @classmethod
    def load(cls, folder: Path, *, num_threads: int | None = None) -> ModelEmbedding:
        """Loads a model's folder, checked as for serving.

        Args:
            folder: Holds what `recognition.contract` lists.
            num_threads: As for `EmotionClassifier.load`.

        Raises:
            ModelLoadError: If the model is missing, damaged or not as it left
                training, or if no dense or convolutional layer gives its scores.
        """
        # Here, not above: pages need not wait for it before anything is to be read.
        import onnx

        contract = EmotionClassifier.load(folder).contract
        path = folder / MODEL_ONNX
        network = onnx.load_model(path)
        output = _penultimate(network.graph)
        network.graph.output.append(onnx.ValueInfoProto(name=output))
        return cls(
            contract, open_session(path, num_threads, content=network.SerializeToString()), output
        )

    def features(self, images: npt.NDArray[np.uint8], *, progress: Progress = no_progress) -> Float:
        """The features of each face.

        Args:
            images: As for `EmotionClassifier.scores`: `uint8` in `[0, 255]`,
                grey of shape `(n, height, width)` or RGB of shape
                `(n, height, width, 3)`; `n` may be 0, and the array
                memory-mapped, as it is read a part at a time.
            progress: Counts faces.

        Returns:
            `float32`, shape `(n, d)`: what the last dense layer takes. Of a
            network that ends in a convolution and a mean over the image, the
            mean over the image of what the convolution takes.

        Raises:
            ImageFormatError: If `images` has another dtype or shape.
        """
        number = len(images)
        parts = []
        for start in range(0, max(number, 1), BATCH_SIZE):
            progress(start, number, "reading the faces with the network")
            parts.append(self._batch(images[start : start + BATCH_SIZE]))
        progress(number, number)
        return np.concatenate(parts)

    def _batch(self, images: npt.NDArray[np.uint8]) -> Float:
        inputs = self.contract.preprocessing.apply(images)
        # Not every operator takes an empty batch: one black face stands in for none.
        fed = inputs if len(inputs) else np.zeros((1, *inputs.shape[1:]), np.uint8)
        feed = {self._session.get_inputs()[0].name: fed.astype(np.float32)}
        features = np.asarray(self._session.run([self._output], feed)[0])[: len(inputs)]
        # ONNX convolutions take channels first.
        pooled = features.mean(axis=(2, 3)) if features.ndim == 4 else features
        return np.asarray(pooled, np.float32)


def _penultimate(graph: onnx.GraphProto) -> str:
    """The name of what the last layer with weights takes.

    Raises:
        ModelLoadError: If there is no such layer, or nothing comes before it.
    """
    producers = {name: node for node in graph.node for name in node.output}
    constants = {item.name for item in graph.initializer}
    constants |= {name for name, node in producers.items() if node.op_type == "Constant"}
    name = graph.output[0].name
    while (node := producers.get(name)) is not None:
        inputs = [item for item in node.input if item not in constants]
        if node.op_type in _WEIGHTED and len(inputs) == 1 and inputs[0] in producers:
            return inputs[0]
        # A sum of two branches is not a bias: the scores come from more than one layer.
        if node.op_type not in _PASSED or len(inputs) != 1:
            break
        name = inputs[0]
    kind = "its input" if node is None else f"{node.op_type} of {len(node.input)} inputs"
    raise ModelLoadError(
        "the network has no features to show: expected one dense or convolutional layer before "
        f"the scores, got {kind}"
    )
