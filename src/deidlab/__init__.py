"""Train, compare and apply clinical de-identification models."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # PEP 562: `deidlab.load(RUN)` is one line, and `import deidlab` (the command line too) loads nothing heavy.
    if name == "load":
        from deidlab.deidentifier import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
