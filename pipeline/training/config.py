"""Every hyperparameter of a training, with its range, in one frozen dataclass.

The command line, the training page and the validation all read the same
`Setting` beside each field, so a range is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any

from pipeline.errors import ConfigError
from pipeline.preprocessing import INPUT_SIZES, Preprocessing


@dataclass(frozen=True)
class Setting:
    """What is known of one hyperparameter besides its value.

    Attributes:
        group: The heading that it stands under in the interface.
        help: What it does, one sentence.
        low: Smallest allowed number, or `None`.
        high: Largest allowed number, or `None`.
        choices: The allowed values, if they are few.
        is_model: Whether it names a model of this home.
    """

    group: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    is_model: bool = False


def _choice(default: Any, choices: tuple[Any, ...], group: str, text: str) -> Any:
    return field(default=default, metadata={"setting": Setting(group, text, choices=choices)})


def _number(default: float, low: float, high: float, group: str, text: str) -> Any:
    return field(default=default, metadata={"setting": Setting(group, text, low, high)})


def _switch(default: bool, group: str, text: str) -> Any:
    return field(default=default, metadata={"setting": Setting(group, text)})


def _reference(group: str, text: str) -> Any:
    """A model or run by name, as `ModelCatalog.resolve` takes it; empty: none."""
    return field(default="", metadata={"setting": Setting(group, text, is_model=True)})


@dataclass(frozen=True)
class TrainingConfig:
    """One training, complete: the same config, data and seed give the same network.

    The defaults are the seed recipe: `seed_cnn`, 50 epochs of Adam at 0.001 in
    batches of 64, with rotation ±10°, shift 10 %, zoom 10 % and mirroring.

    Raises:
        ConfigError: If a value is out of its range, or two contradict.
    """

    # Data
    input_size: int = _choice(48, INPUT_SIZES, "data", "Height and width of the input, pixels.")
    clahe: bool = _switch(False, "data", "Equalise contrast locally, in training and in service.")
    subset: float = _number(1.0, 0.001, 1.0, "data", "Share of the training images, stratified.")
    soft_labels: float = _number(
        0.0, 0.0, 1.0, "data", "Share of the FER+ votes in the target; 0: labels only."
    )
    vote_targets: str = _choice(
        "shares",
        ("shares", "fitted"),
        "data",
        "What votes stand for: their shares, or the labels that go with such votes in training.",
    )
    # Network
    architecture: str = field(
        default="seed_cnn", metadata={"setting": Setting("network", "Name of the network.")}
    )
    attention: str = _choice(
        "none", ("none", "se", "cbam"), "network", "Attention block, for `resnet`."
    )
    width: float = _number(
        1.0, 0.25, 4.0, "network", "Factor on the number of filters, where the network has them."
    )
    dropout: float = _number(
        0.5,
        0.0,
        0.9,
        "network",
        "Dropout before the classifier; the blocks of `seed_cnn` take half.",
    )
    fine_tune: bool = _switch(
        True, "network", "Train the pretrained layers of a transfer network too."
    )
    pretrained: bool = _switch(
        True, "network", "Start a transfer network from ImageNet weights, downloaded once."
    )
    start_from: str = _reference(
        "network", "A model of the same network whose weights are trained further."
    )
    # Optimisation
    epochs: int = _number(50, 1, 2000, "optimisation", "Passes over the training images.")
    batch_size: int = _number(64, 2, 4096, "optimisation", "Images a step.")
    optimizer: str = _choice(
        "adam", ("adam", "adamw", "sgd", "rmsprop"), "optimisation", "`sgd` is Nesterov, 0.9."
    )
    learning_rate: float = _number(1e-3, 1e-7, 10.0, "optimisation", "The highest learning rate.")
    schedule: str = _choice(
        "plateau",
        ("constant", "cosine", "plateau"),
        "optimisation",
        "How the learning rate falls: never, by a cosine to zero, or halved on a plateau.",
    )
    warmup_epochs: float = _number(
        0.0, 0.0, 100.0, "optimisation", "Epochs over which a cosine schedule first rises."
    )
    plateau_patience: int = _number(
        4, 1, 1000, "optimisation", "Epochs without progress before the rate is halved."
    )
    ema: float = _number(
        0.0, 0.0, 0.99999, "optimisation", "Decay of the weight average that is kept; 0: none."
    )
    precision: str = _choice(
        "float32",
        ("float32", "mixed_bfloat16"),
        "optimisation",
        "Arithmetic of the layers. bfloat16 is faster where processor or GPU have it, else slower.",
    )
    seed: int = _number(0, 0, 2**31 - 1, "optimisation", "Seed of all randomness.")
    # Regularisation
    loss: str = _choice(
        "cross_entropy",
        ("cross_entropy", "focal"),
        "regularisation",
        "Categorical cross-entropy, or focal loss (Lin et al. 2017, gamma 2).",
    )
    label_smoothing: float = _number(
        0.0, 0.0, 0.5, "regularisation", "Share of the target spread over all classes."
    )
    class_weights: str = _choice(
        "none",
        ("none", "balanced", "effective"),
        "regularisation",
        "Weight rare classes up: inversely, or by effective number (Cui et al. 2019, beta 0.999).",
    )
    weight_decay: float = _number(
        0.0, 0.0, 1.0, "regularisation", "Decoupled weight decay (Loshchilov and Hutter 2019)."
    )
    l2: float = _number(
        0.0, 0.0, 0.1, "regularisation", "L2 penalty on convolution and dense kernels."
    )
    teacher: str = _reference(
        "regularisation",
        "A model whose answers are learned beside the labels (Hinton et al. 2015).",
    )
    distillation: float = _number(
        0.5, 0.0, 1.0, "regularisation", "Share of the teacher's answers in the target."
    )
    # Augmentation
    rotation: float = _number(10.0, 0.0, 180.0, "augmentation", "Rotation, ± degrees.")
    shift: float = _number(0.1, 0.0, 0.5, "augmentation", "Shift, ± share of the side.")
    zoom: float = _number(0.1, 0.0, 0.9, "augmentation", "Zoom, ± share of the size.")
    flip: bool = _switch(True, "augmentation", "Mirror half of the images.")
    brightness: float = _number(
        0.0, 0.0, 1.0, "augmentation", "Brightness, ± share of the full range."
    )
    contrast: float = _number(0.0, 0.0, 1.0, "augmentation", "Contrast, factor e^±value.")
    erasing: float = _number(
        0.0, 0.0, 1.0, "augmentation", "Probability of erasing a rectangle (Zhong et al. 2020)."
    )
    degradation: float = _number(
        0.0, 0.0, 1.0, "augmentation", "Probability of blur, JPEG, noise or low resolution."
    )
    mixup: float = _number(
        0.0, 0.0, 4.0, "augmentation", "Alpha of mixup (Zhang et al. 2018); 0: none."
    )
    cutmix: float = _number(
        0.0, 0.0, 4.0, "augmentation", "Alpha of CutMix (Yun et al. 2019); 0: none."
    )
    # Budget
    early_stopping: int = _number(
        10, 0, 2000, "budget", "Epochs without progress before stopping; 0: never."
    )
    monitor: str = _choice(
        "val_accuracy",
        ("val_accuracy", "val_loss", "val_macro_f1"),
        "budget",
        "Validation figure that chooses the kept weights and stops early.",
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            _check(item, getattr(self, item.name))
        if self.warmup_epochs and self.schedule != "cosine":
            raise ConfigError(
                f"warmup_epochs needs schedule 'cosine', but schedule is {self.schedule!r}"
            )
        if self.warmup_epochs >= self.epochs and self.warmup_epochs:
            raise ConfigError(
                f"warmup_epochs ({self.warmup_epochs:g}) must be below epochs ({self.epochs})"
            )

    @property
    def preprocessing(self) -> Preprocessing:
        """How images are prepared for this training, and later for its model."""
        return Preprocessing(size=self.input_size, clahe=self.clahe)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """Reads what `to_dict` made; absent fields take their defaults.

        Raises:
            ConfigError: If a field is unknown or a value out of range.
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(f"unknown setting {unknown[0]!r}; the settings are {sorted(known)}")
        return cls(**values)


def settings() -> dict[str, Setting]:
    """What is known of each hyperparameter, by field name, in order."""
    return {item.name: item.metadata["setting"] for item in fields(TrainingConfig)}


def _check(item: Field[Any], value: Any) -> None:
    setting: Setting = item.metadata["setting"]
    expected = type(item.default)
    # A whole number is a fine value for a real one; a bool is neither.
    accepted = (int, float) if expected is float else (expected,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and expected is not bool):
        raise ConfigError(
            f"{item.name} must be {expected.__name__}, got {type(value).__name__} {value!r}"
        )
    if setting.choices and value not in setting.choices:
        raise ConfigError(f"{item.name} must be one of {setting.choices}, got {value!r}")
    if setting.low is not None and not setting.low <= value <= setting.high:  # type: ignore[operator]
        raise ConfigError(f"{item.name} must be in [{setting.low}, {setting.high}], got {value!r}")
