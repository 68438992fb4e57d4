"""Starts Locust after importing this kit's packages: `python -P -m load.generator` takes Locust's arguments.

Locust puts the current folder first on the import path before it reads a scenario. A `load.py` in that folder must not
replace this kit's package. Locust also reads a `locust.conf` or `pyproject.toml` there, and
`~/.locust.conf`; here it does not, as the settings of a run come from `load.run` alone.
"""

from jwo_toolkit.lifeline import end_with_starter  # isort: skip

end_with_starter()  # before Locust replaces the functions that start threads and wait

from locust import argument_parser  # noqa: E402 # isort: skip - as below
from locust.main import main  # noqa: E402 # isort: skip - Locust patches sockets when it is imported, so it comes first

import load.users.visitors  # noqa: F401, E402 - imports the packages that scenarios use

if __name__ == "__main__":
    argument_parser.get_parser.__defaults__ = ((),)
    argument_parser.get_empty_argument_parser.__defaults__ = (True, ())
    main()
