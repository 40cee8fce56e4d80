import pytest

pytestmark = pytest.mark.xdist_group("tensorflow")


def _count(layer_list: list, shape: tuple[int | None, ...] = (10, 8, 6)) -> int:
    import keras

    from pipeline.training.architectures.macs import count_macs

    return count_macs(keras.Sequential([keras.Input(shape), *layer_list]))


def test_each_layer_by_hand() -> None:
    from keras import layers

    assert _count([layers.Conv2D(4, 3, padding="same")]) == (10 * 8) * (3 * 3 * 6 * 4)
    assert _count([layers.Conv2D(4, 3, padding="valid")]) == (8 * 6) * (3 * 3 * 6 * 4)
    assert _count([layers.Conv2D(4, 5, strides=2, padding="same")]) == (5 * 4) * (25 * 6 * 4)
    assert _count([layers.Conv2D(4, 3, groups=2, padding="same")]) == 80 * (9 * 3 * 4)
    assert _count([layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")]) == 80 * 9 * 12
    assert _count([layers.SeparableConv2D(4, 3, padding="same")]) == 80 * (9 * 6 + 6 * 4)
    assert _count([layers.Flatten(), layers.Dense(5)]) == 10 * 8 * 6 * 5
    assert _count([layers.Dense(5)]) == 80 * 6 * 5
    assert _count([layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D()]) == 0


def test_layer_counts_once_for_each_call_in_this_model() -> None:
    import keras

    from pipeline.training.architectures.macs import count_macs

    dense = keras.layers.Dense(5)
    inputs = keras.Input((4,))
    once, again = dense(inputs), dense(inputs)
    assert count_macs(keras.Model(inputs, keras.layers.Add()([once, again]))) == 2 * 4 * 5
    assert count_macs(keras.Model(inputs, once)) == 4 * 5


def test_models_inside_count_once_for_each_call() -> None:
    import keras
    from keras import layers

    from pipeline.training.architectures.macs import count_macs

    nested = keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(2, 3, padding="same")])
    inputs = keras.Input((8, 8, 2))
    outputs = layers.Dense(3)(layers.Flatten()(nested(nested(inputs))))
    assert count_macs(keras.Model(inputs, outputs)) == 2 * 64 * 9 * 2 * 2 + 8 * 8 * 2 * 3


def test_counting_leaves_the_model_as_it_was() -> None:
    import keras

    from pipeline.training.architectures.macs import count_macs

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)])
    assert count_macs(model) == count_macs(model) == 20
    assert model.layers[0].output.shape == (None, 5)  # ambiguous had it been called again


def test_open_input_size_is_refused() -> None:
    from keras import layers

    with pytest.raises(ValueError, match="fixed input size"):
        _count([layers.Conv2D(4, 3)], shape=(None, None, 3))


@pytest.mark.parametrize(
    # Table 4 of Sandler et al. 2018 says 300 M; Table 1 of He et al. 2016 says 3.8 G.
    ("name", "macs"),
    [("MobileNetV2", 300_774_272), ("ResNet50", 3_857_973_248)],
)
def test_published_figures(name: str, macs: int) -> None:
    import keras

    from pipeline.training.architectures.macs import count_macs

    assert count_macs(getattr(keras.applications, name)(weights=None)) == macs
