"""Train, compare and apply clinical de-identification models."""

__version__ = "0.1.0"
