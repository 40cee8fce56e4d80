"""The page of hyperparameter searches."""
