"""A package, so that pytest ends the shared server and browser after its last test."""
