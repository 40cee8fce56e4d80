"""The training page: what to train, what it will cost, how it goes."""
