from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset import Dataset, DatasetStore
from pipeline.errors import ConfigError, ModelLoadError
from pipeline.home import Home
from pipeline.recognition.contract import MODEL_CARD, MODEL_KERAS, ModelContract
from pipeline.runs import Run, RunStatus, RunStore
from pipeline.training import worker
from pipeline.training.config import TrainingConfig
from tests.served_models import make_model
from tests.support import Ear

pytestmark = pytest.mark.xdist_group("tensorflow")

_SMALL = TrainingConfig(architecture="vgg", width=0.25, epochs=2, learning_rate=0.003)


@pytest.fixture
def new_run(home: Home, bars: Dataset) -> Callable[..., Run]:
    def make(**changes: object) -> Run:
        config = TrainingConfig.from_dict(_SMALL.to_dict() | changes)
        return worker.create(RunStore(home.runs), config, bars)

    return make


@pytest.mark.slow
def test_a_training_goes_on_from_a_trained_network(
    new_run: Callable[..., Run], home: Home, bars: Dataset
) -> None:
    import keras

    from pipeline.training.architectures import build
    from pipeline.training.session import train_run
    from pipeline.training.warm_start import start_from

    first = new_run()
    train_run(first, DatasetStore(home.data), Ear())
    packaged = keras.saving.load_model(first.folder / MODEL_KERAS, compile=False)
    network = build(_SMALL)
    start_from(network, first.folder / MODEL_KERAS)
    faces = np.random.default_rng(0).uniform(0, 255, (4, 48, 48, 1)).astype(np.float32)
    np.testing.assert_allclose(network(faces), packaged(faces), atol=1e-5)

    further = new_run(start_from=first.id, epochs=1, learning_rate=1e-7)
    train_run(further, DatasetStore(home.data), Ear())
    card = (further.folder / MODEL_CARD).read_text()
    assert f"train --name {first.id} --dataset bars" in card
    assert f"--start-from {first.id}" in card
    assert "trained 2 times" in card
    contract = ModelContract.load(further.folder)
    assert contract.handed_down == (bars.meta.fingerprint,)
    assert contract.learned_from == {bars.meta.fingerprint}
    best = max(entry["val_accuracy"] for entry in first.history)
    assert further.history[0]["val_accuracy"] > best - 0.1
    assert further.history[0]["loss"] < first.history[0]["loss"] - 0.2


@pytest.mark.slow
def test_a_resumed_training_does_not_need_what_it_began_with(
    new_run: Callable[..., Run], home: Home
) -> None:
    from pipeline.training.session import train_run

    first = new_run(epochs=1)
    train_run(first, DatasetStore(home.data), Ear())
    further = new_run(start_from=first.id)
    train_run(
        further, DatasetStore(home.data), Ear(), given_up=lambda: "enough" * len(further.history)
    )
    assert len(further.history) == 1
    first.folder.rename(first.folder.with_name("elsewhere"))
    assert train_run(further, DatasetStore(home.data), Ear()) is RunStatus.FINISHED
    assert len(further.history) == 2


def test_another_network_or_a_damaged_file_is_refused(tmp_path: Path) -> None:
    import keras

    from pipeline.training.architectures import build
    from pipeline.training.warm_start import start_from

    network = build(_SMALL)
    path = tmp_path / MODEL_KERAS
    build(TrainingConfig(architecture="vgg", width=0.5)).save(path)
    with pytest.raises(ConfigError, match=r"which has 74,\d+ weights where it has 29\d,"):
        start_from(network, path)
    keras.saving.save_model(network, path)
    whole = path.read_bytes()
    for damaged in (whole[:2000], whole.replace(b"input", b"inpuu"), whole.replace(b"con", b"cnn")):
        path.write_bytes(damaged)
        with pytest.raises(ConfigError, match="it is damaged"):
            start_from(network, path)


def test_a_model_without_weights_to_train_is_refused(home: Home) -> None:
    from pipeline.training.warm_start import start_weights

    served = make_model(home.root / "somewhere" / "onnx-only")
    assert not (served / MODEL_KERAS).exists()
    with pytest.raises(ConfigError, match="choose a model that was trained here"):
        start_weights(TrainingConfig(start_from=str(served)), home)
    with pytest.raises(ModelLoadError, match="no model 'gone'"):
        start_weights(TrainingConfig(start_from="gone"), home)


def test_a_model_of_another_network_is_refused_with_the_settings_that_fit(home: Home) -> None:
    from pipeline.training.warm_start import start_weights

    folder = make_model(home.root / "somewhere" / "deep", training=_SMALL.to_dict())
    (folder / MODEL_KERAS).touch()
    same = TrainingConfig(architecture="vgg", width=0.25, start_from=str(folder))
    assert start_weights(same, home) == folder / MODEL_KERAS
    with pytest.raises(
        ConfigError, match="to train architecture seed_cnn; train one with architecture vgg, or"
    ):
        start_weights(replace(same, architecture="seed_cnn"), home)
    with pytest.raises(ConfigError, match=r"train one with architecture vgg, width 0\.25, or"):
        start_weights(TrainingConfig(start_from=str(folder)), home)


def test_stages_are_told_as_far_back_as_they_are_known(home: Home) -> None:
    from pipeline.training.warm_start import earlier_stages

    first, second, loop = (str(home.root / "somewhere" / name) for name in ("1", "2", "loop"))
    for folder, start in ((first, "gone"), (second, first), (loop, loop)):
        make_model(Path(folder), name=folder, training={**_SMALL.to_dict(), "start_from": start})
    stages = earlier_stages(TrainingConfig(start_from=second), home)
    assert [stage.name for stage in stages] == [first, second]
    assert stages[1].training["start_from"] == first
    assert [stage.name for stage in earlier_stages(TrainingConfig(start_from=loop), home)] == [loop]
    assert earlier_stages(TrainingConfig(), home) == ()
