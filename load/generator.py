"""Starts Locust with this kit's packages already imported: `python -P -m load.generator` takes Locust's arguments.

Locust puts the caller's folder first on the import path before it reads a scenario; a `load.py` or `contract.py` that
happens to lie there must not stand in for ours.
"""

from locust.main import main  # isort: skip - Locust patches sockets when it is imported, so it comes first

import load.users.visitors  # noqa: F401 - imported for what it brings in

if __name__ == "__main__":
    main()
