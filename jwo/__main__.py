"""Makes `python -m jwo` the same as the command `jwo`."""

from jwo.cli import main

main()
