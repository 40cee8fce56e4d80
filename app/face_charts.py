"""What is said of one face, as plotly figures and pictures: pure functions, no Streamlit."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from app.charts import GROUND
from pipeline.labels import EMOTIONS

_GREY = "rgba(122, 130, 145, 0.45)"
# Labels that would lie on one another go to different sides of their points.
_PLACES = {"angry": "middle right", "sad": "bottom center", "neutral": "bottom right"}

# No emotion has these colours: yellow is the one of Okabe and Ito that is left over.
_FOR_RGB = (240, 228, 66)
_AGAINST_RGB = (104, 76, 255)
_MOST_OPAQUE = 0.7
_BLUR = 2.5
LEAST_DROP = 0.05
"""Changes of the probability below this are not made to look important."""


def probability_bars(
    probabilities: npt.NDArray[np.float32], *, unsure_below: float | None = None
) -> go.Figure:
    """The seven probabilities of one face as horizontal bars.

    Args:
        probabilities: In `[0, 1]`, shape `(7,)`.
        unsure_below: Where to draw the threshold; `None` draws none.
    """
    percents = [100 * float(value) for value in probabilities]
    top = int(np.argmax(probabilities))
    titles = [emotion.title for emotion in EMOTIONS]
    titles[top] = f"<b>{titles[top]}</b>"
    figure = go.Figure()
    figure.add_bar(
        x=percents,
        y=titles,
        orientation="h",
        marker={"color": [emotion.color for emotion in EMOTIONS], "line": {"width": 0}},
        text=[f"{value:.0f} %" for value in percents],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
    )
    if unsure_below:
        figure.add_vline(
            x=100 * unsure_below,
            line={"color": _GREY, "width": 1.5, "dash": "dot"},
            layer="below",
            # Above the bars; within the chart, however narrow it is.
            annotation={
                "text": f"unsure below {100 * unsure_below:.0f} %",
                "font": {"size": 11},
                "xanchor": "left" if unsure_below < 0.3 else "center",
                "yanchor": "bottom",
                "y": 1,
            },
        )
    above = 20 if unsure_below else 4
    figure.update_layout(
        height=232 + above,
        bargap=0.3,
        margin={"l": 0, "r": 0, "t": above, "b": 0},
        **GROUND,
        showlegend=False,
        # Room right of a full bar for its number.
        xaxis={"visible": False, "fixedrange": True, "range": [0, 118]},
        yaxis={"autorange": "reversed", "fixedrange": True, "title": None, "ticksuffix": "  "},
    )
    return figure


def probability_text(probabilities: npt.NDArray[np.float32]) -> str:
    """What `probability_bars` shows, in words, the most probable first."""
    order = np.argsort(-probabilities, kind="stable")
    return ", ".join(f"{EMOTIONS[i].title} {100 * probabilities[i]:.0f} %" for i in order)


def affect_plane(valence: float, arousal: float) -> go.Figure:
    """A face's place between unpleasant and pleasant, calm and excited.

    Args:
        valence: In `[-1, 1]`.
        arousal: In `[-1, 1]`.
    """
    figure = go.Figure()
    figure.add_shape(type="circle", x0=-1, y0=-1, x1=1, y1=1, line={"color": _GREY, "width": 1})
    for ends in ({"x0": -1, "x1": 1, "y0": 0, "y1": 0}, {"x0": 0, "x1": 0, "y0": -1, "y1": 1}):
        figure.add_shape(type="line", **ends, line={"color": _GREY, "width": 1})
    figure.add_scatter(
        x=[emotion.valence for emotion in EMOTIONS],
        y=[emotion.arousal for emotion in EMOTIONS],
        mode="markers+text",
        text=[emotion.title for emotion in EMOTIONS],
        textposition=[_PLACES.get(emotion.name, "top center") for emotion in EMOTIONS],
        textfont={"size": 11},
        marker={"size": 7, "color": [emotion.color for emotion in EMOTIONS]},
        hoverinfo="skip",
        cliponaxis=False,
    )
    figure.add_scatter(
        x=[valence],
        y=[arousal],
        mode="markers",
        marker={"size": 16, "color": "#4B4FC4", "line": {"color": "#FFFFFF", "width": 2}},
        hovertemplate="valence %{x:.2f}, arousal %{y:.2f}<extra></extra>",
    )
    for text, x, y in (
        ("unpleasant", -1, 0),
        ("pleasant", 1, 0),
        ("calm", 0, -1),
        ("excited", 0, 1),
    ):
        figure.add_annotation(
            x=x,
            y=y,
            text=f"<i>{text}</i>",
            showarrow=False,
            font={"size": 11},
            xanchor="left" if x < 0 else "right",
            yanchor="top" if y > 0 else "bottom",
        )
    axis = {
        "range": [-1.05, 1.05],
        # Else a first drawing in a box that is not laid out yet would widen the range for good.
        "constrain": "domain",
        "fixedrange": True,
        "zeroline": False,
        "showgrid": False,
        "showticklabels": False,
        "ticks": "",
    }
    figure.update_layout(
        height=250,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        **GROUND,
        showlegend=False,
        xaxis=axis,
        yaxis={**axis, "scaleanchor": "x"},
    )
    return figure


def enlarged(image: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """Shows each pixel as a square, without smoothing.

    Args:
        image: Grey or RGB, `uint8`, square.
        side: The result's side is the whole multiple of the image's nearest below.
    """
    factor = max(1, side // image.shape[0])
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def heat_overlay(
    face: npt.NDArray[np.uint8], drops: npt.NDArray[np.float32], side: int
) -> npt.NDArray[np.uint8]:
    """An occlusion map laid over the face: yellow spoke for the answer, violet against it.

    Args:
        face: `uint8` grey, square.
        drops: See `occlusion.OcclusionMap`.
        side: As in `enlarged`.

    Returns:
        `uint8` RGB, as large as `enlarged` gives.
    """
    ground = np.repeat(enlarged(face, side)[..., None], 3, axis=2).astype(np.float32)
    size = ground.shape[1], ground.shape[0]
    # The edges of the hidden squares are no edges of the face.
    smooth = cv2.GaussianBlur(drops, (0, 0), _BLUR)
    strength = cv2.resize(smooth, size, interpolation=cv2.INTER_LINEAR)[..., None]
    peak = max(float(np.abs(smooth).max()), LEAST_DROP)
    opacity = _MOST_OPAQUE * np.abs(strength) / peak
    color = np.where(
        strength > 0, np.array(_FOR_RGB, np.float32), np.array(_AGAINST_RGB, np.float32)
    )
    return np.rint(ground * (1 - opacity) + color * opacity).clip(0, 255).astype(np.uint8)
