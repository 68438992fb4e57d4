"""The files that the retailer's data are read from: their state, their content, and whether a change is held back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jwo_contract.house import DEFAULT, ScanKeyRules
from reference_connector.accepted_files import how_to_accept, is_accepted, mark_of
from reference_connector.errors import BadRetailerData
from reference_connector.retailer import Retailer
from reference_connector.retailer_changes import accidents
from reference_connector.retailer_files import load_retailer
from reference_connector.telemetry import EventLog

Stamps = list[tuple[int, ...]]
"""The state of each file; two equal states mean that the content is the same."""


class RetailerSource:
    """Reads the retailer files and price lists. `hold_back_above` is the setting of that name.

    `platform_missing` are the settings that the connector lacks to call the platform; empty if it has all.
    """

    def __init__(
        self,
        files: Sequence[Path],
        price_lists: Sequence[Path],
        hold_back_above: float,
        codes: ScanKeyRules = DEFAULT.scan_key,
        platform_missing: str = "",
    ) -> None:
        self._files = files
        self._price_lists = price_lists
        self._hold_back_above = hold_back_above
        self._codes = codes
        self._platform_missing = platform_missing

    def stamps(self) -> Stamps:
        """Return the state of each file, and of its mark of acceptance."""
        files = (*self._files, *self._price_lists)
        return [_stamp(path) for file in files for path in (file, mark_of(file))]

    def load(self) -> Retailer:
        """Read all files.

        Raises BadRetailerData if one is wrong, or if a store has a payment model for which settings are missing.
        """
        retailer = load_retailer(self._files, self._price_lists, self._codes)
        needing = [
            f'store {store} has payment = "{model}"' for store, model in retailer.stores.items() if model != "retailer"
        ]
        if needing and self._platform_missing:
            what, fix = f"{'; '.join(needing)}, which needs calls to the platform", f"set {self._platform_missing}"
            raise BadRetailerData(f'{what}: {fix}, or the payment of the store to "retailer"', hint=fix)
        return retailer

    def reasons_to_hold_back(self, current: Retailer, loaded: Retailer) -> dict[str, str]:
        """Return why the loaded data may not replace the current ones, and how to accept them; empty if they may."""
        found = accidents(current, loaded, self._hold_back_above)
        changed = [
            path
            for path in (*self._files, *self._price_lists)
            if loaded.digests.get(str(path)) != current.digests.get(str(path))
            and not is_accepted(path, loaded.digests[str(path)])
        ]
        if not found or not changed:
            return {}
        return {
            "problem": f"{', '.join(map(str, changed))}: {'; '.join(found)}. The earlier data stay in force",
            "fix": f"Correct the file, or accept it: {' && '.join(map(how_to_accept, changed))}",
        }


def log_notes(retailer: Retailer, log: EventLog) -> None:
    """Log the remarks about the files."""
    for note in retailer.notes:
        log.event("retailer_files_doubtful", problem=note)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
