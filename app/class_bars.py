"""Images per class as bars of plain HTML, with a few faces of each.

The first page that is opened shows them: a plotly chart there would make the
browser load and run four megabytes of script before anything can be clicked,
and of Streamlit's own elements each face would need three.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.charts import GREY, SPLIT_STRENGTHS, SPLIT_TITLES, class_balance_text, tint
from app.faces import montage, png_url
from pipeline.dataset import SPLITS, Split
from pipeline.labels import EMOTIONS, Emotion

# Where it is narrow, the faces at the right of a row are cut off, half of four at most, and
# shares are left out. The longest bar leaves room for its number at the right.
_STYLE = """<style>
.fl-bars { display: grid; grid-template-columns: max-content minmax(8rem, 1fr) minmax(5rem, 10rem);
    gap: 0.3rem 0.6rem; align-items: center; font-size: 0.875rem; line-height: 1.2; }
.fl-bars .bar { display: flex; align-items: center; white-space: nowrap; --number: 7.5rem; }
.fl-bars .bar i { height: 1.5rem; flex: none; box-sizing: border-box;
    width: calc((100% - var(--number)) * var(--part)); }
.fl-bars .bar em { font-style: normal; }
.fl-bars .bar span { padding-left: 0.4rem; flex: none; font-variant-numeric: tabular-nums; }
.fl-bars .faces { overflow: hidden; border-radius: 6px; }
.fl-bars img { display: block; height: 2.5rem; max-width: none; }
.fl-key { display: flex; flex-wrap: wrap; gap: 0.2rem 1.25rem; margin-bottom: 0.75rem; }
.fl-key i { display: inline-block; width: 0.75rem; height: 0.75rem; margin-right: 0.4rem;
    box-sizing: border-box; }
.fl-key span { opacity: 0.65; }
@media (max-width: 640px) {
    .fl-bars .bar { --number: 3.5rem; }
    .fl-bars .bar em { display: none; }
}
</style>"""


def class_bars(counts: dict[str, list[int]], faces: Sequence[npt.NDArray[np.uint8]]) -> str:
    """Images per class as horizontal bars, each stacked from the three splits.

    Args:
        counts: `{split: [seven counts]}`, as in `DatasetMeta.counts`.
        faces: For each class `uint8` grey faces of shape `(k, height, width)`, which
            stand beside its bar; `k` may be 0.

    Returns:
        HTML; text takes the page's colour, light or dark.
    """
    totals = [sum(counts[split][index] for split in SPLITS) for index in range(len(EMOTIONS))]
    whole, most = sum(totals) or 1, max([*totals, 1])
    rows = "".join(
        f'<div>{emotion.title}</div><div class="bar">'
        + _segments(emotion, [counts[split][index] for split in SPLITS], most)
        + f"<span>{total:,}<em> · {100 * total / whole:.1f} %</em></span></div>"
        + f'<div class="faces">{_strip(faces[index])}</div>'
        for index, (emotion, total) in enumerate(zip(EMOTIONS, totals, strict=True))
    )
    keys = "".join(
        f'<div><i style="{_fill(GREY, split)}"></i>{SPLIT_TITLES[split]} '
        f"<b>{sum(counts[split]):,}</b> <span>{100 * sum(counts[split]) / whole:.0f} %</span></div>"
        for split in SPLITS
    )
    return (
        f'{_STYLE}<div class="fl-key"><div><b>{sum(totals):,}</b> images</div>{keys}</div>'
        f'<div class="fl-bars" role="img" aria-label="{class_balance_text(counts)}, each with '
        f'some of its faces">{rows}</div>'
    )


def _strip(faces: npt.NDArray[np.uint8]) -> str:
    return f'<img src="{png_url(montage(faces, len(faces)))}" alt="">' if len(faces) else ""


def _segments(emotion: Emotion, numbers: list[int], most: int) -> str:
    return "".join(
        f'<i title="{emotion.title}, {SPLIT_TITLES[split].lower()}: {number:,}" '
        f'style="--part:{number / most:.4f};{_fill(emotion.color, split)}"></i>'
        for split, number in zip(SPLITS, numbers, strict=True)
        if number
    )


def _fill(color: str, split: Split) -> str:
    # A tint alone is hard to tell from the ground.
    return f"background:{tint(color, SPLIT_STRENGTHS[split])};border:1px solid {color}"
