"""Every faulty catalog client: its fault and the ids of the checks that must find it, each by itself."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance.catalog_client.platform import Addresses
from conformance.catalog_client.servers import API, served
from conformance.mutants.gallery import Mutant
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import CaseResult
from contract.house import House
from contract.profile import CatalogClientTable, ConnectorTable, Profile
from contract.register import register

# those that run into their limit come first: others go on meanwhile
CLIENTS = (
    Mutant("uploads_small_parts_all_at_once", ("CAT-X.5",)),
    Mutant("drops_messages_of_other_uploads", ("CAT-X.14",)),
    Mutant("waits_for_the_message_for_ever", ("CAT-X.15",)),
    Mutant("waits_for_done_only", ("CAT-X.17",)),
    Mutant("never_ends", ("CAT-X.21",)),
    Mutant("signs_nothing", ("CAT-X.1",)),
    Mutant("signs_for_another_service", ("CAT-X.1",)),
    Mutant("signs_for_another_region", ("CAT-X.1",)),
    Mutant("signs_an_empty_body", ("CAT-X.1",)),
    Mutant("forgets_the_session_token", ("CAT-X.1",)),
    Mutant("signs_its_uploads_only", ("CAT-X.1",)),
    Mutant("forgets_to_split", ("CAT-X.2", "CAT-X.3")),
    Mutant("splits_at_10001", ("CAT-X.2",)),
    Mutant("forgets_the_last_part", ("CAT-X.3",)),
    Mutant("loses_a_row_of_each_part", ("CAT-X.3",)),
    Mutant("uploads_each_sku_once", ("CAT-X.3",)),
    Mutant("uploads_what_is_not_in_the_file", ("CAT-X.22",)),
    Mutant("takes_barcodes_for_numbers", ("CAT-X.3",)),
    Mutant("cuts_names", ("CAT-X.3",)),
    Mutant("moves_the_decimal_point", ("CAT-X.3",)),
    Mutant("overlaps_its_parts", ("CAT-X.4",)),
    Mutant("polls_without_a_pause", ("CAT-X.5",)),
    Mutant("takes_429_for_final", ("CAT-X.6",)),
    Mutant("tries_429_at_once", ("CAT-X.7",)),
    Mutant("takes_every_500_for_final", ("CAT-X.8",)),
    Mutant("tries_500_at_once", ("CAT-X.9",)),
    Mutant("tries_every_500_again", ("CAT-X.10",)),
    Mutant("forgets_the_handshake", ("CAT-X.11",)),
    Mutant("uploads_and_forgets", ("CAT-X.12",)),
    Mutant("reads_no_report", ("CAT-X.12",)),
    Mutant("keeps_the_last_id_only", ("CAT-X.12",)),
    Mutant("counts_messages", ("CAT-X.13",)),
    Mutant("tries_the_old_link_again", ("CAT-X.16",)),
    Mutant("sends_a_bare_list", ("CAT-X.18",)),
    Mutant("names_fields_its_own_way", ("CAT-X.18",)),
    Mutant("leaves_the_store_out", ("CAT-X.18",)),
    Mutant("sends_its_own_store_number", ("CAT-X.18",)),
    Mutant("says_that_it_is_a_form", ("CAT-X.19",)),
    Mutant("hides_rejected_rows", ("CAT-X.20",)),
)
_UPLOADER = Path(__file__).with_name("uploader.py")
_LIMIT_S = 12.0
_QUICK = House().model_copy(update={"catalog": House().catalog.model_copy(update={"queue_s": 0.2, "process_s": 0.2})})
_NOWHERE = "http://127.0.0.1:9"
"""No connector is called."""


@contextmanager
def platform() -> Iterator[Addresses]:
    """Run a platform on which all clients meet."""
    with served(_QUICK) as addresses:
        yield addresses


def results_of_client(fault: str, addresses: Addresses, only: tuple[str, ...] = ()) -> dict[str, CaseResult]:
    """Give the small client with one fault, or none, its jobs, and return what was found, by id."""
    command = shlex.join([sys.executable, str(_UPLOADER), fault])
    table = CatalogClientTable(command=command, limit_s=_LIMIT_S, tells_rejected="exit_code")
    profile = Profile(connector=ConnectorTable(url=_NOWHERE), house=_QUICK, catalog_client=table)
    selection = Selection(("core",), only or tuple(row.id for row in register().values() if row.api == API))
    return dict(run(RunConfiguration(profile, selection, catalog_platform=addresses)).results)
