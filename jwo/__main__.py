"""Lets `python -m jwo` do what the command `jwo` does."""

from jwo.cli import main

main()
