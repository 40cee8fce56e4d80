"""What the cards of all models say alike: their results, their limits, their use.

After Mitchell et al. 2019, "Model Cards for Model Reporting", arXiv:1810.03993.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.dataset import DatasetMeta
from pipeline.evaluation.references import Reference
from pipeline.evaluation.report import EvaluationReport, Interval
from pipeline.labels import EMOTIONS
from pipeline.recognition.contract import ModelContract

SYNTHETIC = """
> **Trained on synthetic data.** This model learned from drawn cartoon faces. It shows that the
> program works; its figures say nothing about photographs of people.
"""

INTENDED_USE = """
## Intended use

For research, teaching and demonstrations: to study how well facial expressions can be classified
from small grey images, and where that fails. It describes what a face *looks like* to annotators.

Not for decisions about people. Not for inferring emotions at work or in education, which the EU AI
Act forbids but for medical or safety reasons (article 5(1)(f)). Not for police, border, hiring or
credit use, and not for watching anyone who has not been told.
"""

LIMITS = """
## Limits

- Seven categories are a coarse view of expression; mixtures, contempt, and expression that unfolds
  over time are outside it.
- Faces that are turned, covered, blurred, very small or badly lit are outside what it learned.
- Rare classes are learned from few images: compare recall by class above before trusting them.
- Calibrated probabilities hold for images like those of the validation split, not for others.
"""

LABEL_NOISE = """
- Labels are opinions: people agree with those of FER-2013 about 65 % of the time (Goodfellow et al.
  2013, arXiv:1307.0414). A figure near or above that partly measures agreement with the labelling.
"""

ETHICS = """
## Ethical considerations

A facial expression is not a reliable sign of what a person feels (Barrett et al. 2019,
doi:10.1177/1529100619832930). Say "looks happy", never "is happy"; let "unsure" stand.
"""

UNKNOWN_GROUPS = """
The training images carry no record of age, gender or skin colour: accuracy by group is unknown, and
classifiers of expression have been found to differ between groups (Xu et al. 2020,
arXiv:2007.10075).
"""


def limits(*, synthetic: bool) -> str:
    """What the model cannot do, as Markdown.

    Args:
        synthetic: Whether it learned from drawn faces, whose labels are certain.
    """
    return LIMITS if synthetic else f"{LIMITS.rstrip()}\n{LABEL_NOISE.strip()}"


def ethics(*, synthetic: bool) -> str:
    """What its answers must not be taken for, as Markdown.

    Args:
        synthetic: Whether it learned from drawn faces, which belong to no group.
    """
    return ETHICS if synthetic else f"{ETHICS.rstrip()}\n\n{UNKNOWN_GROUPS.strip()}"


def results(reports: Mapping[str, EvaluationReport]) -> str:
    """The tables of results, as Markdown.

    Args:
        reports: By split; one at the least. The last is told by class.
    """
    rows = [
        f"| {split} | {report.num_samples:,} "
        f"| {_share(report.accuracy)} {_interval(report.accuracy_ci95)} "
        f"| {_clean(report)} | {report.macro_f1:.3f} {_plain_interval(report.macro_f1_ci95)} "
        f"| {_share(report.balanced_accuracy)} | {_share(report.top2_accuracy)} "
        f"| {report.ece:.3f} | {report.nll:.3f} |"
        for split, report in reports.items()
    ]
    last = list(reports.values())[-1]
    classes = [
        f"| {name} | {score.precision:.3f} | {score.recall:.3f} | {score.f1:.3f} "
        f"| {score.support:,} |"
        for name, score in last.per_class.items()
    ]
    latency = (
        f"One face took {last.latency_ms:.2f} ms (median) on the machine that evaluated."
        if last.latency_ms is not None
        else ""
    )
    return "\n".join(
        (
            "## Results",
            "",
            "Intervals are 95 %, by bootstrap over the images. *Clean* leaves out images with a "
            "pixel-identical twin in the train split. The validation split chose the weights, the "
            "temperature and the threshold, so its figures flatter.",
            "",
            "| split | images | accuracy | clean accuracy | macro-F1 | balanced accuracy | top-2 "
            "| ECE | NLL |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"By class, on {last.split}:",
            "",
            "| class | precision | recall | F1 | images |",
            "|---|---|---|---|---|",
            *classes,
            "",
            latency,
        )
    )


def others(references: Sequence[Reference]) -> str:
    """What others achieve on FER-2013, as Markdown.

    Args:
        references: As `references.load_references` reads them.
    """
    rows = "\n".join(
        f"| {item.name} | {_range(item)} | {item.split or 'not stated'} | {item.kind.value} "
        f"| {f'[{item.source}]({item.url})' if item.url else item.source} |"
        for item in references
    )
    return f"""
## Beside others

*Measured* figures were taken for FER Lab on the same images. *Published* ones are what their \
source states; splits and clean-up may differ.

| | accuracy | split | figure | source |
|---|---|---|---|---|
{rows}
"""


def abstention(contract: ModelContract) -> str:
    """When the model says "unsure", as Markdown."""
    return f"""
## When it says "unsure"

Below a calibrated probability of {contract.unsure_below:.2f} the answer is "unsure". The \
threshold is the smallest at which, on validation, answers are wrong a third less often than \
without it; where that would leave less than half of the faces answered, it is the one that \
answers half. `contract.json` lists what others would give.
"""


def data(meta: DatasetMeta) -> str:
    """What the dataset holds, as Markdown."""
    header = " | ".join(emotion.name for emotion in EMOTIONS)
    rows = "\n".join(
        f"| {split} | {' | '.join(f'{count:,}' for count in counts)} |"
        for split, counts in meta.counts.items()
    )
    return f"""
## Data

{meta.title}: {meta.num_samples:,} grey images of {meta.image_size[0]}×{meta.image_size[1]} \
pixels, fingerprint `{meta.fingerprint[:16]}`. `train` trains, `validation` selects, `test` is \
scored once.

| split | {header} |
|---|{"---|" * len(EMOTIONS)}
{rows}
"""


def edits(contract: ModelContract) -> str:
    """The edits of its dataset that the model was made with, in words; none: no words."""
    made = contract.dataset.get("edits")
    if made is None:
        return ""
    verb, chosen = (
        ("Calibrated", "Temperature and threshold")
        if "members" in contract.training
        else ("Trained", "Weights, best epoch, temperature and threshold")
    )
    return (
        f"{verb} with version {made['version']} of the edits of this dataset: "
        f"{made['excluded']:,} images left out, {made['relabelled']:,} relabelled (fingerprint "
        f"with them `{made['fingerprint'][:16]}`). {chosen} were chosen with the edits; the "
        "results above are on the dataset as it was imported, which the table counts, and so "
        "compare with those of other models."
    )


def _range(item: Reference) -> str:
    low, high = (f"{100 * value:.4g}" for value in (item.low, item.high))
    return f"{low} %" if low == high else f"{low} to {high} %"


def _share(value: float) -> str:
    return f"{value:.2%}".replace("%", " %")


def _interval(interval: Interval) -> str:
    return f"({interval[0]:.2%} to {interval[1]:.2%})".replace("%", " %")


def _plain_interval(interval: Interval) -> str:
    return f"({interval[0]:.3f} to {interval[1]:.3f})"


def _clean(report: EvaluationReport) -> str:
    clean = report.clean
    if clean.accuracy is None or clean.accuracy_ci95 is None:
        return "no image left"
    return (
        f"{_share(clean.accuracy)} {_interval(clean.accuracy_ci95)}, {clean.num_samples:,} images"
    )
