"""Tools for whoever keeps the project."""
