"""The one table of the seven emotions: FER-2013 order, names, colours, affect.

Every list of seven numbers in this project is in the order of `EMOTIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import DatasetError


@dataclass(frozen=True)
class Emotion:
    """One of the seven expression classes of FER-2013.

    Attributes:
        name: The class's name in files, tables and on the command line.
        title: The name as the interface writes it.
        adjective: What a face looks like: "looks surprised".
        color: `#rrggbb`; the seven are told apart by colour-blind eyes and on
            light and dark ground: the hues of Okabe and Ito (2008), moved apart
            under the simulation of Machado et al. (2009),
            doi:10.1109/TVCG.2009.113.
        valence: Unpleasant to pleasant, in `[-1, 1]`.
        arousal: Calm to excited, in `[-1, 1]`. Both place the emotion on the
            circumplex of Russell (1980), doi:10.1037/h0077714; they are a
            convention for plotting, not a measurement.
        aliases: Other spellings found in folder names and label columns.
    """

    name: str
    title: str
    adjective: str
    color: str
    valence: float
    arousal: float
    aliases: tuple[str, ...] = ()


EMOTIONS: tuple[Emotion, ...] = (
    Emotion("angry", "Angry", "angry", "#A54431", -0.60, 0.70, ("anger",)),
    Emotion("disgust", "Disgust", "disgusted", "#04AA6F", -0.70, 0.35),
    Emotion("fear", "Fear", "fearful", "#B87496", -0.65, 0.75, ("afraid", "scared")),
    Emotion("happy", "Happy", "happy", "#D06C04", 0.85, 0.45, ("happiness", "joy")),
    Emotion("sad", "Sad", "sad", "#0B60C8", -0.75, -0.40, ("sadness",)),
    Emotion("surprise", "Surprise", "surprised", "#349BE6", 0.20, 0.80),
    Emotion("neutral", "Neutral", "neutral", "#626262", 0.0, 0.0, ("calm",)),
)

NAMES: tuple[str, ...] = tuple(emotion.name for emotion in EMOTIONS)
NUM_EMOTIONS = len(EMOTIONS)

_INDEX_BY_WORD = {
    word: index
    for index, emotion in enumerate(EMOTIONS)
    for word in (emotion.name, emotion.adjective, *emotion.aliases)
}


def label_index(text: str) -> int:
    """Reads a label as people write it: `"3"`, `"happy"`, `"Happiness"`.

    Args:
        text: A class index in FER-2013 order or a class name; case and
            surrounding white space do not matter.

    Returns:
        The index into `EMOTIONS`.

    Raises:
        DatasetError: If the text names none of the seven emotions.
    """
    word = text.strip().lower()
    if word in _INDEX_BY_WORD:
        return _INDEX_BY_WORD[word]
    # Python refuses to read a number of thousands of digits, and damaged tables have them.
    if word.isascii() and word.isdigit() and len(word) < 10 and int(word) < NUM_EMOTIONS:
        return int(word)
    raise DatasetError(
        f"unknown label {text.strip()[:20]!r}: expected 0 to {NUM_EMOTIONS - 1} or one of "
        f"{', '.join(NAMES)}"
    )
