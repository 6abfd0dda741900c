"""SQL over every connector you run, live."""

__version__ = "0.1.0"
