"""What Keras trains with: TensorFlow, JAX or PyTorch. Nothing is loaded to tell."""

from __future__ import annotations

import os
from importlib.util import find_spec

from pipeline.errors import ConfigError

_BACKENDS = ("tensorflow", "jax", "torch")
"""As Keras calls them, and pip."""


def chosen() -> str:
    """The backend that `KERAS_BACKEND` names; TensorFlow if it is not set.

    Raises:
        ConfigError: If it is none that FER Lab trains with, or not installed.
    """
    name = os.environ.get("KERAS_BACKEND") or "tensorflow"  # as Keras reads it
    if name not in _BACKENDS:
        raise ConfigError(f"KERAS_BACKEND must be one of {', '.join(_BACKENDS)}, got {name!r}")
    if find_spec(name) is None:
        raise ConfigError(
            f"KERAS_BACKEND is {name}, which is not installed: get it with `python -m pip install "
            f"{name}` (docs/gpu.md says what a GPU needs), or unset KERAS_BACKEND to train with "
            "TensorFlow"
        )
    return name
