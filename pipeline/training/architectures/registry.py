"""The flat table of networks: what each is, what it costs, where it comes from.

Nothing here imports Keras, so that the dashboard can list the networks.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import ConfigError, UnknownArchitectureError
from pipeline.preprocessing import INPUT_SIZES
from pipeline.training.config import TrainingConfig


@dataclass(frozen=True)
class Architecture:
    """One network, as it is listed before it is built.

    Attributes:
        name: The registered name, and the function that builds the network in
            the module `family` of this package.
        family: The module that holds the network and its relatives.
        title: The name as the interface writes it.
        summary: What it is and what it is good for.
        source: The paper that it comes from.
        num_parameters: Trainable and fixed weights together, at the default
            configuration.
        num_macs: Multiply-accumulate operations for one 48×48 face, at the
            default configuration; see `macs.count_macs`.
        attention: Whether `TrainingConfig.attention` changes it.
        width: Whether `TrainingConfig.width` changes it.
        fine_tune: Whether it starts from ImageNet weights, so that
            `TrainingConfig.fine_tune` and `pretrained` change it.
        min_size: The smallest side, in pixels, that its layers work on. A
            smaller input is enlarged inside the network.
    """

    name: str
    family: str
    title: str
    summary: str
    source: str
    num_parameters: int
    num_macs: int
    attention: bool = False
    width: bool = True
    fine_tune: bool = False
    min_size: int = INPUT_SIZES[0]

    def check(self, config: TrainingConfig) -> None:
        """Refuses settings that would silently have no effect, or no sense.

        Raises:
            ConfigError: If `config` changes a setting that this network does
                not have, or freezes layers that would hold random weights.
        """
        for setting in ("attention", "width", "fine_tune"):
            default = getattr(TrainingConfig, setting)
            if getattr(config, setting) != default and not getattr(self, setting):
                having = ", ".join(name for name in names() if getattr(get(name), setting))
                raise ConfigError(
                    f"{self.name} does not use {setting}: leave it at {default!r}, or choose one "
                    f"of {having}"
                )
        if not (config.fine_tune or config.pretrained):
            raise ConfigError(
                "fine_tune and pretrained are both off, which would train a classifier on frozen "
                "random features: switch one of them on"
            )


def get(name: str) -> Architecture:
    """The network of that name.

    Raises:
        UnknownArchitectureError: If none is registered under it.
    """
    if name not in _BY_NAME:
        raise UnknownArchitectureError(
            f"unknown architecture {name!r}: expected one of {', '.join(_BY_NAME)}"
        )
    return _BY_NAME[name]


def names() -> tuple[str, ...]:
    """The registered names, from the simplest network to the transfer networks."""
    return tuple(_BY_NAME)


_BY_NAME = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="simple_cnn",
            family="simple_cnn",
            title="Simple CNN",
            summary="Three convolutions and two dense layers, without batch normalisation: the "
            "baseline that everything else has to beat.",
            source="LeCun et al. 1998, doi:10.1109/5.726791",
            num_parameters=683_527,
            num_macs=22_487_936,
        ),
        Architecture(
            name="seed_cnn",
            family="seed_cnn",
            title="Seed CNN",
            summary="Four blocks of two 3×3 convolutions with batch normalisation and dropout, "
            "then a dense layer of 512: the recipe that FER Lab grew from.",
            source="after Simonyan and Zisserman 2015, arXiv:1409.1556",
            num_parameters=2_359_847,
            num_macs=118_631_936,
        ),
        Architecture(
            name="vgg",
            family="vgg",
            title="VGG",
            summary="The same convolutions ending in global average pooling: half the parameters "
            "of the seed network at the same cost, and fast on a CPU.",
            source="Simonyan and Zisserman 2015, arXiv:1409.1556; Lin et al. 2014, arXiv:1312.4400",
            num_parameters=1_176_359,
            num_macs=117_450_496,
        ),
        Architecture(
            name="vgg_wide",
            family="vgg",
            title="VGG, wide",
            summary="One convolution at full resolution, then wider blocks where the maps are "
            "small: more capacity for half as many operations again.",
            source="Simonyan and Zisserman 2015, arXiv:1409.1556; Lin et al. 2014, arXiv:1312.4400",
            num_parameters=1_647_015,
            num_macs=173_188_864,
        ),
        Architecture(
            name="vgg_deep",
            family="vgg",
            title="VGG, deep",
            summary="Three convolutions a block where the maps are small and a CPU computes them "
            "fastest: the network of the shipped model.",
            source="Simonyan and Zisserman 2015, arXiv:1409.1556; Lin et al. 2014, arXiv:1312.4400",
            num_parameters=2_164_263,
            num_macs=167_880_448,
        ),
        Architecture(
            name="resnet",
            family="resnet",
            title="ResNet",
            summary="The eight residual blocks of ResNet-18 with a stem for small images and half "
            "its filters (width 2 restores them); squeeze-and-excitation or CBAM on request.",
            source="He et al. 2016, arXiv:1512.03385; Hu et al. 2018, arXiv:1709.01507; "
            "Woo et al. 2018, arXiv:1807.06521",
            num_parameters=2_801_063,
            num_macs=312_092_416,
            attention=True,
        ),
        Architecture(
            name="mini_xception",
            family="mini_xception",
            title="mini-Xception",
            summary="Depthwise separable residual modules without a dense layer: by far the "
            "smallest network here, for the slowest devices.",
            source="Arriaga, Valdenegro-Toro and Plöger 2017, arXiv:1710.07557",
            num_parameters=58_423,
            num_macs=6_332_544,
        ),
        Architecture(
            name="mobilenet_v2",
            family="transfer",
            title="MobileNetV2",
            summary="Inverted residuals with linear bottlenecks, from ImageNet weights: few "
            "operations, made for phones.",
            source="Sandler et al. 2018, arXiv:1801.04381",
            num_parameters=2_266_951,
            num_macs=16_575_360,
            width=False,
            fine_tune=True,
            min_size=32,
        ),
        Architecture(
            name="efficientnet_v2b0",
            family="transfer",
            title="EfficientNetV2-B0",
            summary="Fused and plain inverted residuals found by search, from ImageNet weights: "
            "the most accurate of the small transfer networks on ImageNet.",
            source="Tan and Le 2021, arXiv:2104.00298",
            num_parameters=5_928_279,
            num_macs=40_120_064,
            width=False,
            fine_tune=True,
            min_size=32,
        ),
        Architecture(
            name="resnet50",
            family="transfer",
            title="ResNet-50",
            summary="Fifty layers of residual bottlenecks, from ImageNet weights: the usual "
            "reference in transfer learning, large for a laptop.",
            source="He et al. 2016, arXiv:1512.03385",
            num_parameters=23_602_055,
            num_macs=203_220_992,
            width=False,
            fine_tune=True,
            min_size=32,
        ),
        Architecture(
            name="xception",
            family="transfer",
            title="Xception",
            summary="Depthwise separable convolutions at full scale, from ImageNet weights; "
            "inputs below 71 pixels are enlarged twofold, so it is slow.",
            source="Chollet 2017, arXiv:1610.02357",
            num_parameters=20_875_823,
            num_macs=825_874_912,
            width=False,
            fine_tune=True,
            min_size=71,
        ),
    )
}
