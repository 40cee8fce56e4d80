"""Quality: copies within and across splits, images with a fault, likely label errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app import tables, views
from app.charts import SPLIT_TITLES
from app.dataset_page import detail, gallery, grid, label_errors
from app.dataset_page.desk import Desk, change, image_table, not_inspected
from app.dataset_page.gallery import FAULTS, Indices
from app.dataset_page.grid import Pages
from pipeline.dataset import SPLITS, Dataset, Split, overlay
from pipeline.dataset.quality import Copies, QualityReport

_FAULTS, _LABELS = "Copies and faults", "Likely label errors"
_NUM_GROUPS = 8
_NUM_IMAGES = 60
_MOST_OF_A_GROUP = 12
_LOOK_FIRST = (
    "Dark, bright and flat pictures are flagged for looking, not for removal: what is dark or "
    "flat may well be a good photograph of dark skin."
)
_ADVICE = {
    "constant": "One grey value throughout: nothing to be seen.",
    "blank": "Hardly any difference between its pixels: nothing to be seen.",
    "blurred": "Hardly an edge: out of focus, enlarged, or smoothed by compression.",
}


@dataclass(frozen=True)
class Finding:
    """A list of images with something in common.

    Attributes:
        title: What the interface calls it.
        key: What files and widgets call it.
        images: Their indices, ascending.
        groups: The groups that they belong to, if they are copies.
        advice: What to make of it.
        removable: Whether leaving all of them out can make sense, unseen.
    """

    title: str
    key: str
    images: Indices
    groups: list[Indices] | None
    advice: str
    removable: bool


def findings(report: QualityReport) -> list[Finding]:
    """Everything that a report has to say, as lists of images."""
    found = []
    for name, copies in (("Identical", report.exact), ("Near", report.near)):
        kind = name.lower()
        leaks = copies.overlap(Split.TEST, Split.TRAIN).images
        found += [
            Finding(
                f"{name} copies",
                f"{kind}-copies",
                _members(copies.groups),
                copies.groups,
                "Groups of the same picture.",
                removable=False,
            ),
            Finding(
                f"{name} copies: test in training",
                f"{kind}-leaks",
                leaks,
                _groups_with(copies, leaks),
                "Test images that a network may have learnt by heart. Every report also gives the "
                "accuracy without the identical ones.",
                removable=True,
            ),
            Finding(
                f"{name} copies with different labels",
                f"{kind}-conflicts",
                _members(copies.conflicting),
                copies.conflicting,
                "The same picture under different labels: one of them at least is wrong.",
                removable=True,
            ),
        ]
    for fault, images in report.faults.items():
        advice = _ADVICE.get(fault, _LOOK_FIRST)
        key = fault.replace("_", "-")
        found.append(Finding(FAULTS[fault], key, images, None, advice, advice is not _LOOK_FIRST))
    if report.not_a_face is not None:
        advice = "More than half of the FER+ taggers say that this is no face."
        found.append(
            Finding("Not a face (FER+)", "not-a-face", report.not_a_face, None, advice, True)
        )
    return found


def overlap_table(copies: Copies) -> pd.DataFrame:
    """Images of each split that have a copy in each split."""
    rows = {}
    for split in SPLITS:
        rows[SPLIT_TITLES[split]] = [len(copies.overlap(split, other).images) for other in SPLITS]
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=[f"copy in {SPLIT_TITLES[other].lower()}" for other in SPLITS]
    )
    return table.rename_axis("images of").reset_index()


def group_table(desk: Desk, groups: list[Indices]) -> pd.DataFrame:
    """The images of groups, a row each, with the number of their group."""
    indices = np.concatenate([np.empty(0, np.intp), *groups])
    table = image_table(desk, indices)
    numbers = np.repeat(np.arange(1, len(groups) + 1), [len(group) for group in groups])
    table.insert(0, "group", numbers)
    return table


def tab(desk: Desk) -> None:
    """What an inspection found, or the labels that a model doubts."""
    view = st.segmented_control(
        "View",
        (_FAULTS, _LABELS),
        default=_FAULTS,
        required=True,
        key="quality_view",
        label_visibility="collapsed",
        persist_state="session",
    )
    if view == _LABELS:
        label_errors.section(desk)
    else:
        _copies_and_faults(desk)


def _copies_and_faults(desk: Desk) -> None:
    """What was found, as figures, then one list at a time as pictures."""
    if desk.found is None:
        not_inspected(desk, "Copies and faults")
        return
    report = desk.found.quality
    leaks = len(report.exact.overlap(Split.TEST, Split.TRAIN).images)
    near = len(report.near.overlap(Split.TEST, Split.TRAIN).images)
    number = len(desk.dataset.indices(Split.TEST))
    share = f" ({views.percent(leaks / number)})" if number else ""
    st.markdown(
        f"**{leaks:,}** of {number:,} test images are identical with a training image{share}, "
        f"and **{near:,}** more are near copies."
    )
    left, right = st.columns(2, gap="medium")
    for column, name, copies in (
        (left, "Identical copies", report.exact),
        (right, "Near copies, the identical left out", report.near),
    ):
        with column:
            kind = name.split()[0].lower()
            tables.plain_table(
                name,
                overlap_table(copies),
                f"{desk.dataset.name}-{kind}-overlaps",
                what=name.split()[0],
            )
    _browse(desk, findings(report))


def _browse(desk: Desk, found: list[Finding]) -> None:
    by_key = {finding.key: finding for finding in found}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.selectbox(
            "List",
            list(by_key),
            format_func=lambda key: f"{by_key[key].title} ({len(by_key[key].images):,})",
            key="quality_list",
            width=360,
        )
        finding = by_key[key]
        table = _exporter(desk, finding)
        tables.download(table, f"{desk.dataset.name}-{finding.key}", label="List as CSV")
        if finding.removable:
            _exclude_all(desk, finding)
    st.caption(finding.advice)
    if not len(finding.images):
        st.success("None found.", icon=":material/check_circle:")
    elif finding.groups is None:
        _pictures(desk, finding)
    else:
        _groups(desk, finding.groups, finding.key)


def _exclude_all(desk: Desk, finding: Finding) -> None:
    left = sorted(set(finding.images.tolist()) - desk.overlay.excluded)
    edit = overlay.exclude(left, note=finding.title)
    st.button(
        f"Exclude all {len(left):,}",
        key="quality_exclude",
        icon=":material/block:",
        disabled=not left,
        help="Look at them first. It can be undone under Edits.",
        on_click=change,
        args=(edit,),
    )


def _pictures(desk: Desk, finding: Finding) -> None:
    pages = Pages(f"quality_page_{finding.key}", _NUM_IMAGES)
    shown = finding.images[pages.shown(len(finding.images))]
    sheet = gallery.sheet(desk.dataset, shown, desk.overlay)
    chosen = grid.faces(sheet, key=f"quality_{finding.key}", current=detail.last())
    if chosen is not None:
        detail.show(desk, chosen, finding.images, pages)


def _groups(desk: Desk, groups: list[Indices], key: str) -> None:
    shown = Pages(f"quality_page_{key}", _NUM_GROUPS).shown(len(groups))
    chosen = None
    with st.grid(2, min_column_width=320, gap="small"):
        for number, group in enumerate(groups[shown], shown.start):
            with st.container(border=True):
                st.markdown(f":small[**Group {number + 1:,}** · {len(group)} images]")
                sheet = gallery.sheet(
                    desk.dataset,
                    group[:_MOST_OF_A_GROUP],
                    desk.overlay,
                    [where(desk.dataset, index) for index in group[:_MOST_OF_A_GROUP]],
                )
                clicked = grid.faces(
                    sheet, key=f"quality_{key}_{number}", cell=64, current=detail.last()
                )
                chosen = clicked if clicked is not None else chosen
    if chosen is not None:
        detail.show(desk, chosen, np.concatenate(groups))


def where(dataset: Dataset, index: int) -> str:
    """The split and index of an image, as short as they fit below it."""
    return f"{SPLIT_TITLES[SPLITS[int(dataset.split_codes[index])]][:5]} {index:,}"


def _members(groups: list[Indices]) -> Indices:
    return np.sort(np.concatenate([np.empty(0, np.intp), *groups]))


def _groups_with(copies: Copies, images: Indices) -> list[Indices]:
    wanted = set(images.tolist())
    return [group for group in copies.groups if not wanted.isdisjoint(group.tolist())]


def _exporter(desk: Desk, finding: Finding) -> Callable[[], pd.DataFrame]:
    if finding.groups is None:
        return lambda: image_table(desk, finding.images)
    return lambda: group_table(desk, finding.groups or [])
