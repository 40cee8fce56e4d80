"""The evaluation page: a model on a split, where it fails, and how sure it is."""
