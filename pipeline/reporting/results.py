"""The sections of a report that tell how good a model is."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.evaluation.calibration import coverage_curve, reliability
from pipeline.evaluation.confusion import Shares, mix_ups, shares
from pipeline.evaluation.corruptions import CORRUPTIONS, STRENGTHS
from pipeline.evaluation.mistakes import confident_mistakes
from pipeline.evaluation.predictions import Predictions
from pipeline.evaluation.report import EvaluationReport
from pipeline.labels import NAMES
from pipeline.recognition.classifier import with_temperature
from pipeline.recognition.contract import OperatingPoint
from pipeline.reporting.blocks import (
    Block,
    Drawing,
    Items,
    Picture,
    Pictures,
    Section,
    Table,
    Text,
)
from pipeline.reporting.drawings import ACCENT, SECOND, SOFT, Line, bars, chart
from pipeline.reporting.material import Material
from pipeline.reporting.words import interval, percent


def confusion(report: EvaluationReport) -> Section:
    """The confusion matrix, and its largest cells in words."""
    matrix = np.array(report.confusion_matrix, np.int64)
    of_true = shares(matrix, Shares.TRUE)
    rows = tuple(
        (name, *(f"{count:,}" for count in matrix[k].tolist()), percent(float(of_true[k, k])))
        for k, name in enumerate(report.labels)
    )
    shades = tuple((*row.tolist(), 0.0) for row in of_true)
    table = Table(
        ("true class", *report.labels, "found"),
        rows,
        "Images by true class (rows) and answer (columns); the darker, the larger the share of the "
        "row.",
        shades,
    )
    pairs = []
    for pair in mix_ups(matrix):
        first, second = report.labels[pair.first], report.labels[pair.second]
        pairs.append(
            (
                f"{first} {'↔' if pair.is_mutual else '→'} {second}:",
                f"{percent(pair.forward_share)} of {first} is called {second} "
                f"({pair.forward:,} images), {percent(pair.back_share)} of {second} is called "
                f"{first} ({pair.back:,}).",
            )
        )
    blocks: tuple[Block, ...] = (table,)
    if pairs:
        blocks += (Text("Mixed up most, by share of a class:"), Items(tuple(pairs)))
    return Section("Where it fails", "confusion", blocks)


def per_class(report: EvaluationReport) -> Section:
    """Precision, recall and F1 of each emotion."""
    scores = report.per_class
    table = Table(
        ("class", "precision", "recall", "F1", "images"),
        tuple(
            (name, percent(item.precision), percent(item.recall), percent(item.f1),
             f"{item.support:,}")
            for name, item in scores.items()
        ),
    )  # fmt: skip
    drawing = bars(
        list(scores),
        [
            ("Precision", [item.precision for item in scores.values()], ACCENT),
            ("Recall", [item.recall for item in scores.values()], SECOND),
            ("F1", [item.f1 for item in scores.values()], SOFT),
        ],
    )
    caption = (
        "Precision is the share of the answers of a class that are right, recall the share of its "
        "images that are found."
    )
    return Section("By class", "classes", (table, Drawing(drawing, caption)))


def calibration(material: Material) -> Section:
    """Whether confidence and accuracy agree."""
    report, contract = material.report, material.contract
    blocks: list[Block] = [
        Text(
            f"Expected calibration error {percent(report.ece)} (15 bins), negative log-likelihood "
            f"{report.nll:.3f} nats. The model's probabilities are softened or sharpened by one "
            f"temperature, {contract.temperature:.3f}, fitted on the validation split."
        )
    ]
    if material.predictions is not None:
        blocks.append(_reliability(material.predictions, contract.temperature))
    return Section("Calibration", "calibration", tuple(blocks))


def abstention(material: Material) -> Section:
    """What saying "unsure" gains and costs."""
    report, found = material.report, material.predictions
    if found is None:
        points, where = material.contract.trade_off, "validation"
    else:
        points, where = coverage_curve(found.probabilities, found.labels), report.split
    answered = report.answered_accuracy
    text = (
        f"Below a confidence of {report.threshold:.2f} the answer is “unsure”. On {report.split}, "
        f"{percent(report.coverage)} of the images are answered"
        + ("." if answered is None else f", and {percent(answered)} of the answers are right.")
    )
    blocks: tuple[Block, ...] = (Text(text),)
    if points:
        blocks += (_coverage(points, where),)
    return Section("When it says “unsure”", "unsure", blocks)


def robustness(material: Material) -> Section | None:
    """What is left of the accuracy when faces get worse, if that was measured."""
    found = material.stress
    if found is None:
        return None
    rows = tuple(
        (CORRUPTIONS[name].title, *map(percent, score.accuracy))
        for name, score in found.corruptions.items()
        if name in CORRUPTIONS
    )
    shades = tuple(
        tuple(score.accuracy) for name, score in found.corruptions.items() if name in CORRUPTIONS
    )
    table = Table(
        ("accuracy at strength", *map(str, STRENGTHS)),
        rows,
        f"{found.num_samples:,} images; {percent(found.clean_accuracy)} of them right as they are.",
        shades,
    )
    left = "no answer was right to begin with"
    if found.robustness is not None:
        left = (
            f"{percent(found.robustness)} of the accuracy is left on average "
            f"({interval(found.robustness_ci95)})"
        )
    text = (
        f"On worse pictures of the same faces, {left}; {percent(found.changed)} of the answers "
        "change (after Hendrycks and Dietterich 2019)."
    )
    return Section("Robustness", "robustness", (Text(text), table))


def mistakes(material: Material, number: int) -> Section | None:
    """The most confident mistakes as pictures, if they are asked for."""
    found, dataset = material.predictions, material.dataset
    if not number or found is None or dataset is None:
        return None
    pictures = tuple(
        Picture(
            cv2.imencode(".png", dataset.images[found.indices[place]])[1].tobytes(),
            f"{NAMES[found.labels[place]]}, called {NAMES[found.predicted[place]]} "
            f"({found.confidence[place]:.0%})",
        )
        for place in confident_mistakes(found)[:number]
    )
    if not pictures:
        return None
    text = Text(
        "The wrong answers that the model was surest of: each with its label, the answer and its "
        "confidence. Labels are opinions; some of these mistakes are the label's."
    )
    return Section("Most confident mistakes", "mistakes", (text, Pictures(pictures)))


def _reliability(found: Predictions, temperature: float) -> Drawing:
    after = reliability(found.probabilities, found.labels)
    lines = [Line("Calibrated", _points(after.confidence, after.accuracy), ACCENT)]
    if found.tta == "none":
        # A temperature is undone by its inverse; the mean over views has none to undo.
        raw = with_temperature(found.probabilities, 1 / temperature)
        before = reliability(raw, found.labels)
        lines.append(
            Line("As the network gave it", _points(before.confidence, before.accuracy), SOFT)
        )
    drawing = chart(lines, x_title="Confidence", y_title="Accuracy", diagonal=True)
    rows = [
        (f"{low:.0%} to {high:.0%}", f"{count:,}", percent(confidence), percent(accuracy))
        for low, high, count, confidence, accuracy in zip(
            after.edges[:-1], after.edges[1:], after.counts, after.confidence, after.accuracy,
            strict=True,
        )
        if count
    ]  # fmt: skip
    return Drawing(
        drawing,
        "Accuracy of the answers of about the same confidence; on the dashed line the two agree.",
        Table(("confidence", "images", "mean confidence", "accuracy"), tuple(rows)),
    )


def _coverage(points: tuple[OperatingPoint, ...], where: str) -> Drawing:
    known = [(point.coverage, point.accuracy) for point in points if point.accuracy is not None]
    lowest = min(accuracy for _, accuracy in known)
    drawing = chart(
        [Line("Accuracy of the answered", tuple(known), ACCENT)],
        x_title="Share of the images that are answered",
        y_title="Accuracy",
        # Whole fifths, so that the ticks are round.
        y_low=max(0.0, float(np.floor(5 * lowest - 0.25)) / 5),
    )
    rows = tuple(
        (f"{point.threshold:.2f}", percent(point.coverage), percent(point.accuracy))
        for point in points
    )
    return Drawing(
        drawing,
        f"What other thresholds would give, on {where}.",
        Table(("threshold", "answered", "accuracy of these"), rows),
    )


def _points(xs: np.ndarray, ys: np.ndarray) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in zip(xs, ys, strict=True) if not np.isnan(x))
