"""The files of `jwo connector`: says where they are, and tries them before the connector takes its port."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from contract.settings import read
from jwo.errors import Usage
from reference_connector.settings import ConnectorSettings
from reference_connector.store.sqlite import SqliteStore

_PATH, _URL, _LEDGER = "JWO_CONNECTOR_STORE__PATH", "JWO_DATABASE_URL", "JWO_CONNECTOR_PAYMENTS__LEDGER"


def choose_database(path: Path) -> None:
    """Set the file of the records, for this process and its workers. Raises Usage if a variable sets another place."""
    upper = {name.upper(): name for name in os.environ}
    for variable in (_URL, _PATH):
        if os.environ.get(upper.get(variable, ""), ""):
            raise Usage(f"--database and {variable} both say where the records go; omit one of them")
    os.environ[_PATH] = str(path)


def check_files() -> None:
    """Try the files, and print to standard error where they are. Raises BadSettings, StoreUnavailable, or Usage."""
    settings = read(ConnectorSettings)
    timeout_s, url = settings.store.busy_timeout_s, settings.database_url.get_secret_value()
    if url:
        from reference_connector.store.postgres import PostgresStore  # noqa: PLC0415 - its driver is an extra

        PostgresStore(url, busy_timeout_s=timeout_s).connect().close()
        records = f"the PostgreSQL database of {_URL}"
    else:
        path = settings.store.path.resolve()
        SqliteStore(path, busy_timeout_s=timeout_s).connect().close()
        records = f"{path} (set by --database or {_PATH})"
    ledger = settings.payment_ledger.resolve()
    if ledger.is_dir() or not os.access(ledger.parent, os.W_OK):
        raise Usage(f"{ledger} cannot be written: {_LEDGER} must name a file in a folder that exists and is writable")
    print(f"records are in {records}, payments in {ledger}", file=sys.stderr, flush=True)  # noqa: T201 - for the user
