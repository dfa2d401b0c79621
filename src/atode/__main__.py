"""`python -m atode` is the `atode` command."""

from atode.cli.main import main

if __name__ == "__main__":
    main()
