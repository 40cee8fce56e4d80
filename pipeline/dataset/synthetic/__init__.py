"""The synthetic demo dataset: drawn faces, so that every page has something to show."""

from pipeline.dataset.synthetic.demo import build_demo, open_or_demo
from pipeline.dataset.synthetic.face import draw_face

__all__ = ["build_demo", "draw_face", "open_or_demo"]
