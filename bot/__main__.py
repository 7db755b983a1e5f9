"""`python -m bot` is the same program as `switchyard`."""

from bot.cli.main import main

if __name__ == "__main__":
    main()
