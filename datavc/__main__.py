"""`python -m datavc`."""

from datavc.cli.main import main

if __name__ == "__main__":
    main()
