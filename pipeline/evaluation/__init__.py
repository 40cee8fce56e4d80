"""How good a model is, and how sure of it one can be."""

from pipeline.evaluation.evaluator import evaluate, summarise
from pipeline.evaluation.predictions import Predictions, PredictionStore, predict
from pipeline.evaluation.report import (
    ClassScore,
    CleanScore,
    DatasetReference,
    EvaluationReport,
)
from pipeline.evaluation.scoring import score_report

__all__ = [
    "ClassScore",
    "CleanScore",
    "DatasetReference",
    "EvaluationReport",
    "PredictionStore",
    "Predictions",
    "evaluate",
    "predict",
    "score_report",
    "summarise",
]
