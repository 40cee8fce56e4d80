"""A model's report as one document: gathered, put into words, written as HTML or Markdown."""

from pipeline.reporting.content import compose
from pipeline.reporting.material import Material, gather
from pipeline.reporting.writing import SUFFIXES, render, write_report

__all__ = ["SUFFIXES", "Material", "compose", "gather", "render", "write_report"]
