"""A report's content: what is told of a model, in which order and in which words."""

from __future__ import annotations

from pipeline.dataset import Split
from pipeline.evaluation import card
from pipeline.evaluation.references import Reference, beside
from pipeline.evaluation.report import EvaluationReport
from pipeline.labels import EMOTIONS
from pipeline.reporting import cards, results
from pipeline.reporting.blocks import (
    Block,
    Document,
    Drawing,
    Figure,
    Figures,
    Items,
    Section,
    Table,
    Text,
)
from pipeline.reporting.drawings import Span, ranges
from pipeline.reporting.material import Material
from pipeline.reporting.words import from_card, interval, percent

TTA = {
    "none": "none",
    "flip": "mean with the mirror image",
    "ten_crop": "mean over ten crops",
}

_LAW = (
    (
        "Workplace and education:",
        "article 5(1)(f) of the EU Artificial Intelligence Act (Regulation 2024/1689) prohibits "
        "inferring emotions of people there, except for medical or safety reasons.",
    ),
    (
        "Telling people:",
        "article 50(3) obliges whoever uses an emotion recognition system to inform the people "
        "exposed to it. Elsewhere it is a high-risk use (annex III, point 1(c)).",
    ),
    (
        "Expression is not feeling:",
        "the same feeling moves faces differently, and the same movement has many reasons (Barrett "
        "et al. 2019). Say “looks happy”, never “is happy”, and keep “unsure” as an answer.",
    ),
)

_SOURCES = (
    "Barrett, L. F., Adolphs, R., Marsella, S., Martinez, A. M., Pollak, S. D. (2019): Emotional "
    "Expressions Reconsidered. doi:10.1177/1529100619832930",
    "Barsoum, E., Zhang, C., Canton Ferrer, C., Zhang, Z. (2016): Training Deep Networks for "
    "Facial Expression Recognition with Crowd-Sourced Label Distribution (FER+). arXiv:1608.01041",
    "Efron, B. (1979): Bootstrap Methods: Another Look at the Jackknife. "
    "doi:10.1214/aos/1176344552",
    "El-Yaniv, R., Wiener, Y. (2010): On the Foundations of Noise-free Selective Classification. "
    "JMLR 11, 1605–1641",
    "European Union (2024): Artificial Intelligence Act. Regulation 2024/1689",
    "Goodfellow, I. J. et al. (2013): Challenges in Representation Learning (FER-2013). "
    "arXiv:1307.0414",
    "Guo, C., Pleiss, G., Sun, Y., Weinberger, K. Q. (2017): On Calibration of Modern Neural "
    "Networks. arXiv:1706.04599",
    "Hendrycks, D., Dietterich, T. (2019): Benchmarking Neural Network Robustness to Common "
    "Corruptions and Perturbations. arXiv:1903.12261",
    "Mitchell, M. et al. (2019): Model Cards for Model Reporting. arXiv:1810.03993",
    "Naeini, M. P., Cooper, G. F., Hauskrecht, M. (2015): Obtaining Well Calibrated Probabilities "
    "Using Bayesian Binning. AAAI",
)


def compose(material: Material, *, num_mistakes: int = 0) -> Document:
    """Puts a report into words.

    Args:
        material: What is told.
        num_mistakes: How many of the most confident mistakes are shown as
            pictures. They are faces of people: none, unless somebody asks.
    """
    report = material.report
    sections = (
        _summary(material),
        results.confusion(report),
        results.per_class(report),
        results.calibration(material),
        results.abstention(material),
        results.robustness(material),
        results.mistakes(material, num_mistakes),
        cards.dataset(material),
        cards.model(material),
        _use(material),
        cards.making(material),
        Section("Sources", "sources", (Items(tuple(("", text) for text in _SOURCES)),)),
    )
    return Document(
        f"{material.name}: evaluation report",
        f"Facial expressions in {report.num_samples:,} {report.split} images of "
        f"{_title(material)}; test-time augmentation: {TTA[report.tta]}",
        tuple(section for section in sections if section is not None),
    )


def figures(report: EvaluationReport) -> tuple[Figure, ...]:
    """The headline."""
    clean = report.clean
    below = f"threshold {report.threshold:.2f}"
    if report.answered_accuracy is not None:
        below = f"{percent(report.answered_accuracy)} of them right; {below}"
    return (
        Figure("Accuracy", percent(report.accuracy), interval(report.accuracy_ci95)),
        Figure(
            f"Clean accuracy, {clean.num_samples:,} images",
            percent(clean.accuracy),
            interval(clean.accuracy_ci95),
        ),
        Figure("Macro-F1", percent(report.macro_f1), interval(report.macro_f1_ci95)),
        Figure("Balanced accuracy", percent(report.balanced_accuracy), "mean recall"),
        Figure("Top-2 accuracy", percent(report.top2_accuracy), "first or second guess"),
        Figure("Calibration error", percent(report.ece), f"log-likelihood −{report.nll:.3f}"),
        Figure("Answered", percent(report.coverage), below),
        Figure(
            "Time for one face",
            "—" if report.latency_ms is None else f"{report.latency_ms:.2f} ms",
            "median, on the machine that evaluated",
        ),
    )


def _title(material: Material) -> str:
    return material.dataset.meta.title if material.dataset else material.report.dataset.name


def _summary(material: Material) -> Section:
    report = material.report
    blocks: list[Block] = [Text(text, is_note=True) for text in notes(material)]
    blocks += [
        Figures(figures(report)),
        Text(
            "Intervals are 95 %, by bootstrap over the images. Clean accuracy leaves out images "
            "with a pixel-identical twin in the training split. Macro-F1 counts each class alike, "
            "however rare."
        ),
    ]
    blocks.append(_beside_others(report, beside(report)))
    return Section("Summary", "summary", tuple(blocks))


def notes(material: Material) -> list[str]:
    """What must be known before the figures are believed."""
    report, contract = material.report, material.contract
    found = []
    if contract.synthetic or report.dataset.synthetic:
        found.append(
            "Drawn faces: the model learned from them, or was scored on them. The figures show "
            "that the program works; they say nothing about photographs of people."
        )
    learned_from, members = contract.learned_from, contract.training.get("members")
    data = material.dataset
    # Edits change the fingerprint, not which pictures they are.
    scored = report.dataset.fingerprint if data is None else data.official.meta.fingerprint
    if learned_from != {scored}:
        who = "Members of the model were" if members else "The model was"
        found.append(
            f"{who} trained on other data ({contract.learned_from_words}). Whether some of these "
            "images were among them is not known."
        )
    if scored in learned_from and report.split == Split.TRAIN.value:
        found.append("The model learned from these very images: it may remember them.")
    if report.split == Split.VALIDATION.value:
        found.append(
            "The validation split chose the weights, the temperature and the threshold: its "
            "figures flatter. Those on the test split are the honest ones."
        )
    if report.dataset.overlay_version is not None:
        found.append(
            f"Scored with version {report.dataset.overlay_version} of the edits of the dataset: "
            "not to be compared with figures by the official labels."
        )
    if material.dataset is None:
        found.append(
            "Made of the figures that were stored with the model: what needs its answers to single "
            "images is left out."
        )
    return found


def _beside_others(report: EvaluationReport, references: tuple[Reference, ...]) -> Drawing:
    low, high = report.accuracy_ci95
    spans = [Span("This model", low, report.accuracy, high, True)]
    clean = report.clean
    if clean.accuracy is not None and clean.accuracy_ci95 is not None:
        spans.append(
            Span(
                "This model, clean",
                clean.accuracy_ci95[0],
                clean.accuracy,
                clean.accuracy_ci95[1],
                True,
            )
        )
    name, most = max(report.per_class.items(), key=lambda item: item[1].support)
    share = most.support / report.num_samples
    spans.append(Span(f"Always “{name}”", share, share, share, False))
    rows = [(span.name, percent(span.value), _range(span.low, span.high), "") for span in spans]
    for item in references:
        is_one = item.low == item.high
        spans.append(Span(item.name, item.low, item.low if is_one else None, item.high, False))
        where = f"{item.kind.value}, {item.split.value if item.split else 'split not stated'}"
        rows.append(
            (
                item.name,
                percent(item.low) if is_one else "",
                "" if is_one else _range(item.low, item.high),
                f"{where}: {item.source}",
            )
        )
    caption = "Accuracy of this model"
    if references:
        caption += " beside that of others on FER-2013, where they are published or were measured"
    table = Table(("accuracy", "figure", "range", "where it is from"), tuple(rows))
    return Drawing(ranges(spans), f"{caption}.", table)


def _use(material: Material) -> Section:
    synthetic = material.contract.synthetic
    return Section(
        "Intended use, limits, responsible use",
        "use",
        (
            *from_card(card.INTENDED_USE),
            Items(_LAW),
            *from_card(card.limits(synthetic=synthetic)),
            *from_card(card.ethics(synthetic=synthetic)),
            Text("The classes: " + ", ".join(emotion.name for emotion in EMOTIONS) + "."),
        ),
    )


def _range(low: float, high: float) -> str:
    return "" if low == high else f"{percent(low)} to {percent(high)}"
