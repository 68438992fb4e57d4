"""Checks of the settings that need a look at files, before a process serves."""

from __future__ import annotations

import os
from pathlib import Path

from jwo_contract.errors import BadSettings
from jwo_toolkit.tls import unusable
from reference_connector.payments.simulated import unusable_ledger
from reference_connector.settings import ConnectorSettings
from reference_connector.tracing import send_spans

METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Prometheus' own variable: the folder in which several workers share their counts."""
_LEDGER_VARIABLE = "JWO_CONNECTOR_PAYMENTS__LEDGER"
_CA_VARIABLE = "JWO_CONNECTOR_PLATFORM__CA_FILE"


def check_start(settings: ConnectorSettings) -> None:
    """Check what no setting's own rule checks. Raises BadSettings if a process with these settings could not start."""
    metrics, ledger = os.environ.get(METRICS_VARIABLE, ""), settings.payment_ledger
    if metrics and not Path(metrics).is_dir():
        raise BadSettings(f"{METRICS_VARIABLE}: there is no folder {metrics}; make it, or unset the variable")
    if settings.caller.missing:
        raise BadSettings(settings.caller.missing)
    if settings.traces:
        send_spans().close()
    in_file = not settings.database_url.get_secret_value()
    if in_file and ledger.resolve() == settings.store.path.resolve():
        raise BadSettings(f"{_LEDGER_VARIABLE}: {ledger} has the records already; name another file")
    has_own_folder = bool(settings.payments.ledger) or not in_file  # otherwise the store reports its folder
    if (has_own_folder or ledger.exists()) and (problem := unusable_ledger(ledger)):
        raise BadSettings(
            f"{_LEDGER_VARIABLE}: {ledger} {problem}; name a file in a folder that exists and is writable"
        )
    ca_file = settings.platform.ca_file
    if ca_file and (why := unusable(ca_file)):
        raise BadSettings(f"{_CA_VARIABLE}: {ca_file} is not usable ({why}); name a file of certificates in PEM")
