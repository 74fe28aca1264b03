"""`python -m deidlab` is `deidlab`."""

from deidlab.cli.main import main

if __name__ == "__main__":
    main()
