"""Starts Locust after importing this kit's packages: `python -P -m load.generator` takes Locust's arguments.

Locust puts the current folder first on the import path before it reads a scenario. A `load.py` or `contract.py` in that
folder must not replace this kit's package.
"""

from locust.main import main  # isort: skip - Locust patches sockets when it is imported, so it comes first

import load.users.visitors  # noqa: F401 - imports the packages that scenarios use

if __name__ == "__main__":
    main()
