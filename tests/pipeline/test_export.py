from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ExportError, ModelLoadError
from pipeline.export import FORMATS, export_model, write_onnx
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.contract import CONTRACT, MODEL_KERAS, MODEL_ONNX
from pipeline.recognition.probes import PROBES, Probes
from tests.served_models import bar_faces, make_contract

pytestmark = pytest.mark.xdist_group("tensorflow")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with convolution and batch normalisation, its weights random."""
    import keras
    from keras import layers

    folder = tmp_path_factory.mktemp("model")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(7, activation="softmax"),
        ]
    )
    model.save(folder / MODEL_KERAS)
    faces = bar_faces(np.arange(14) % 7)
    inputs = faces[..., None]
    scores = model.predict(inputs.astype(np.float32), verbose=0)
    Probes(faces, inputs, scores).save(folder)
    write_onnx(folder)
    make_contract().save(folder)
    return folder


def out_for(format: str, tmp_path: Path) -> Path:
    return tmp_path / "new" / f"model{FORMATS[format].suffix}"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_reads_back_the_same(folder: Path, tmp_path: Path, format: str) -> None:
    out = out_for(format, tmp_path)
    assert export_model(folder, format, out) == out
    probes = Probes.load(folder)
    np.testing.assert_allclose(FORMATS[format].scores(out, probes.inputs), probes.scores, atol=1e-5)
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("format", ["onnx", "savedmodel"])
def test_what_is_there_is_replaced_only_on_request(
    folder: Path, tmp_path: Path, format: str
) -> None:
    out = out_for(format, tmp_path)
    export_model(folder, format, out)
    files = [out, *sorted(out.rglob("*"))]
    before = [path.stat().st_ino for path in files]
    with pytest.raises(ExportError, match="exists already"):
        export_model(folder, format, out)
    assert [path.stat().st_ino for path in files] == before
    export_model(folder, format, out, overwrite=True)
    assert [path.stat().st_ino for path in files] != before
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("format", ["savedmodel", "onnx"])
def test_folder_of_something_else_is_never_replaced(
    folder: Path, tmp_path: Path, format: str
) -> None:
    out = out_for(format, tmp_path)
    out.mkdir(parents=True)
    (out / "thesis.tex").touch()
    with pytest.raises(ExportError, match="no SavedModel: it is not overwritten"):
        export_model(folder, format, out, overwrite=True)
    assert (out / "thesis.tex").exists()


@pytest.mark.parametrize(
    ("format", "name", "message"),
    [
        ("torchscript", "m.pt", "expected one of keras, h5, savedmodel, onnx, litert"),
        ("keras", "m.h5", r"ends in \.keras"),
        ("litert", "m", r"ends in \.tflite"),
    ],
)
def test_unknown_format_or_name_is_refused(
    folder: Path, tmp_path: Path, format: str, name: str, message: str
) -> None:
    with pytest.raises(ExportError, match=message):
        export_model(folder, format, tmp_path / name)


@pytest.mark.parametrize("format", FORMATS)
def test_file_that_scores_otherwise_is_not_delivered(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    whole = FORMATS[format]
    broken = replace(
        whole, scores=lambda path, inputs: whole.scores(path, np.ascontiguousarray(255 - inputs))
    )
    monkeypatch.setitem(FORMATS, format, broken)
    out = out_for(format, tmp_path)
    with pytest.raises(ExportError, match="score differently from when the model was made"):
        export_model(folder, format, out)
    assert list(out.parent.iterdir()) == []


def test_tampered_model_is_not_exported(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (MODEL_KERAS, MODEL_ONNX, PROBES, CONTRACT):
        (copy / name).write_bytes((folder / name).read_bytes())
    probes = Probes.load(copy)
    replace(probes, scores=probes.scores[::-1]).save(copy)
    with pytest.raises(ModelLoadError, match="not as it left training"):
        export_model(copy, "onnx", tmp_path / "m.onnx")
    (copy / PROBES).write_bytes((folder / PROBES).read_bytes())
    (copy / MODEL_KERAS).write_bytes(b"PK nonsense")
    with pytest.raises(ExportError, match="cannot export"):
        export_model(copy, "h5", tmp_path / "m.h5")


def test_conversion_that_scores_otherwise_than_training_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / MODEL_KERAS).write_bytes((folder / MODEL_KERAS).read_bytes())
    probes = Probes.load(folder)
    replace(probes, scores=np.full((14, 7), 1 / 7, np.float32)).save(tmp_path)
    with pytest.raises(ExportError, match="differently from the one that was trained"):
        write_onnx(tmp_path)


def test_scores_of_a_coarse_accelerator_are_replaced_by_exact_ones(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / MODEL_KERAS).write_bytes((folder / MODEL_KERAS).read_bytes())
    make_contract().save(tmp_path)
    probes = Probes.load(folder)
    coarse = probes.scores + np.linspace(-0.01, 0.01, 7, dtype=np.float32)
    replace(probes, scores=coarse).save(tmp_path)
    write_onnx(tmp_path)
    np.testing.assert_allclose(Probes.load(tmp_path).scores, probes.scores, atol=1e-6)
    assert EmotionClassifier.load(tmp_path).contract == make_contract()


def test_conversion_needs_tensorflow(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ExportError, match=r"runs on torch: use `python -m pipeline export`"):
        export_model(folder, "h5", tmp_path / "m.h5")


@pytest.mark.slow
def test_failure_in_the_other_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ExportError, match=r"which conversion needs: .*probes\.npz is missing"):
        write_onnx(tmp_path)
