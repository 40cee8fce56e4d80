"""What the dashboard's pages share; the work itself is in `pipeline`."""
