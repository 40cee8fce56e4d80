"""The parts of the dataset page, one module for each of its tabs and what they share."""
