import numpy as np

from pipeline.labels import EMOTIONS
from pipeline.recognition.affect import valence_arousal


def test_a_sure_emotion_lies_where_the_table_puts_it() -> None:
    expected = [(emotion.valence, emotion.arousal) for emotion in EMOTIONS]
    np.testing.assert_allclose(valence_arousal(np.eye(7)), expected)


def test_a_mixture_lies_between() -> None:
    mixture = np.zeros(7)
    mixture[[3, 4]] = 0.6, 0.4  # happy and sad
    np.testing.assert_allclose(
        valence_arousal(mixture), [0.6 * 0.85 - 0.4 * 0.75, 0.6 * 0.45 - 0.4 * 0.40]
    )
