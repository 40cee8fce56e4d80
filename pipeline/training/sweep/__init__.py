"""Hyperparameter search: many trainings whose settings an optimiser chooses.

A search is an Optuna study in a database. Any number of worker processes, on
this computer or others, take trials from it; each trial is an ordinary run.
Importing this package imports neither Optuna nor Keras: the dashboard does.
"""

from pipeline.training.sweep.definition import SweepDefinition, SweepField
from pipeline.training.sweep.store import Sweep, SweepStore
from pipeline.training.sweep.trials import TrialPhase, TrialRecord

__all__ = ["Sweep", "SweepDefinition", "SweepField", "SweepStore", "TrialPhase", "TrialRecord"]
