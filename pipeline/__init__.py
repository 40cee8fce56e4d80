"""FER Lab's work itself: datasets, training, evaluation and recognition, without a dashboard."""

__version__ = "0.1.0"
