"""Main: `hub` and `python -m hub`."""

from hub.cli.app import main

if __name__ == "__main__":
    main()
