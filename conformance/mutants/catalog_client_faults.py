"""Faults of a catalog client. `python -m conformance.mutants.catalog_client_faults NAME` runs a client with a fault."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from conformance.mutants.registry import CLIENT_FAULTS
from conformance.mutants.small_catalog_client import UPLOAD, Row, SmallCatalogClient, main
from conformance.mutants.small_client import Document, Reply

_fault = CLIENT_FAULTS.fault
_THROTTLED, _FAILED = 429, 500
_MOST_TRIES = 4


# signing


@_fault("CAT-X.1")
class signs_nothing(SmallCatalogClient):
    def authorization(self, path: str, url: str, body: bytes) -> dict[str, str]:
        return {}


@_fault("CAT-X.1")
class signs_for_another_service(SmallCatalogClient):
    service = "s3"


@_fault("CAT-X.1")
class signs_for_another_region(SmallCatalogClient):
    def region(self) -> str:
        return "eu-north-1"


@_fault("CAT-X.1")
class signs_an_empty_body(SmallCatalogClient):
    def authorization(self, path: str, url: str, body: bytes) -> dict[str, str]:
        return super().authorization(path, url, b"")


@_fault("CAT-X.1")
class forgets_the_session_token(SmallCatalogClient):
    def session_token(self) -> str:
        return ""


@_fault("CAT-X.1")
class signs_its_uploads_only(SmallCatalogClient):
    def authorization(self, path: str, url: str, body: bytes) -> dict[str, str]:
        return super().authorization(path, url, body) if path == UPLOAD else {}

    def results_of_messages(self, ids: list[str], results: dict[str, Document]) -> dict[str, Document]:
        self.ask(ids)
        return super().results_of_messages(ids, results)


@_fault("CAT-X.19")
class says_that_it_is_a_form(SmallCatalogClient):
    def headers(self) -> dict[str, str]:
        return {**super().headers(), "Content-Type": "application/x-www-form-urlencoded"}


# the parts of an upload


@_fault("CAT-X.2", "CAT-X.3")
class forgets_to_split(SmallCatalogClient):
    most_items = 10**9


@_fault("CAT-X.2")
class splits_at_10001(SmallCatalogClient):
    most_items = 10_001


@_fault("CAT-X.3")
class forgets_the_last_part(SmallCatalogClient):
    def parts(self, items: list[Document]) -> list[list[Document]]:
        parts = super().parts(items)
        return parts[:-1] or parts


@_fault("CAT-X.3")
class loses_a_row_of_each_part(SmallCatalogClient):
    def parts(self, items: list[Document]) -> list[list[Document]]:
        return [part[1:] for part in super().parts(items)]


@_fault("CAT-X.4")
class overlaps_its_parts(SmallCatalogClient):
    def parts(self, items: list[Document]) -> list[list[Document]]:
        step = self.most_items - 1
        return [items[start : start + self.most_items] for start in range(0, len(items), step)]


@_fault("CAT-X.5", slow=True)
class uploads_small_parts_all_at_once(SmallCatalogClient):
    most_items = 200

    def upload(self, rows: list[Row]) -> list[str]:
        with ThreadPoolExecutor(64) as pool:
            return list(pool.map(self.upload_part, self.parts(self.prepared(rows))))


# the items of an upload


@_fault("CAT-X.3")
class uploads_each_sku_once(SmallCatalogClient):
    def prepared(self, rows: list[Row]) -> list[Document]:
        return super().prepared(list({row["item_sku"]: row for row in rows}.values()))


@_fault("CAT-X.22")
class uploads_what_is_not_in_the_file(SmallCatalogClient):
    def prepared(self, rows: list[Row]) -> list[Document]:
        items = super().prepared(rows)
        return [*items, {**items[0], "item_sku": "TEST-ITEM", "external_product_id": "000000000000"}]


@_fault("CAT-X.3")
class takes_barcodes_for_numbers(SmallCatalogClient):
    def item(self, row: Row) -> Document:
        return {**row, "external_product_id": str(int(row["external_product_id"]))}


@_fault("CAT-X.3")
class cuts_names(SmallCatalogClient):
    def item(self, row: Row) -> Document:
        return {**row, "item_name": row["item_name"][:4]}


@_fault("CAT-X.3")
class moves_the_decimal_point(SmallCatalogClient):
    def item(self, row: Row) -> Document:
        return {**row, "standard_price": row["standard_price"].replace(".", "")}


@_fault("CAT-X.18")
class names_fields_its_own_way(SmallCatalogClient):
    def item(self, row: Row) -> Document:
        return {"sku" if name == "item_sku" else name: value for name, value in row.items()}


@_fault("CAT-X.18")
class leaves_the_store_out(SmallCatalogClient):
    def item(self, row: Row) -> Document:
        return {name: value for name, value in row.items() if name != "store_id"}


@_fault("CAT-X.18")
class sends_its_own_store_number(SmallCatalogClient):
    def item(self, row: Row) -> Document:
        return {**row, "store_id": "17"}


@_fault("CAT-X.18")
class sends_a_bare_list(SmallCatalogClient):
    def upload_body(self, part: list[Document]) -> bytes:
        return super().upload_body(part).removeprefix(b'{"catalogItems": ').removesuffix(b"}")


# errors of the platform


@_fault("CAT-X.6")
class takes_429_for_final(SmallCatalogClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return None if reply.status == _THROTTLED else super().pause_s(reply, attempt)


@_fault("CAT-X.7")
class tries_429_at_once(SmallCatalogClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return 0.0 if reply.status == _THROTTLED else super().pause_s(reply, attempt)


@_fault("CAT-X.8")
class takes_every_500_for_final(SmallCatalogClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        return None if reply.status == _FAILED else super().pause_s(reply, attempt)


@_fault("CAT-X.9")
class tries_500_at_once(SmallCatalogClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        pause_s = super().pause_s(reply, attempt)
        return 0.0 if reply.status == _FAILED and pause_s is not None else pause_s


@_fault("CAT-X.10")
class tries_every_500_again(SmallCatalogClient):
    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        pause_s = super().pause_s(reply, attempt)
        return 0.2 if reply.status == _FAILED and pause_s is None else pause_s


# following an upload


@_fault("CAT-X.11", slow=True)
class forgets_the_handshake(SmallCatalogClient):
    def subscribe(self, url: str) -> None:
        pass


@_fault("CAT-X.12")
class uploads_and_forgets(SmallCatalogClient):
    def run(self, rows: list[Row]) -> int:
        self.confirm()
        self.upload(rows)
        return 0


@_fault("CAT-X.12")
class reads_no_report(SmallCatalogClient):
    def report(self, ingestion: str, link: str) -> dict[str, Document]:
        return {ingestion: {}}


@_fault("CAT-X.12")
class keeps_the_last_id_only(SmallCatalogClient):
    def follow(self, ids: list[str]) -> list[Document]:
        return super().follow(ids[-1:])


class _TrustsItsQueue(SmallCatalogClient):
    """The base of faults that never ask for the status of an upload."""

    asks_for_status = False


@_fault("CAT-X.13")
class counts_messages(_TrustsItsQueue):
    _counted = 0

    def follow(self, ids: list[str]) -> list[Document]:
        results: dict[str, Document] = {}
        while self._counted < len(ids):
            results |= self.results_of_messages(ids, results)
        return [report for report in results.values() if report]

    def awaited(self, ids: list[str], results: dict[str, Document], message: Document) -> str:
        self._counted += 1
        return super().awaited(ids, results, message) if self._counted <= len(ids) else ""


@_fault("CAT-X.14", slow=True)
class drops_messages_of_other_uploads(_TrustsItsQueue):
    def awaited(self, ids: list[str], results: dict[str, Document], message: Document) -> str:
        return next((each for each in ids if each not in results), "")


@_fault("CAT-X.15", slow=True)
class waits_for_the_message_for_ever(_TrustsItsQueue):
    pass


@_fault("CAT-X.16")
class tries_the_old_link_again(_TrustsItsQueue):
    _tries = 0

    def report_again(self, ingestion: str, link: str) -> dict[str, Document]:
        self._tries += 1
        return self.report(ingestion, link) if self._tries < _MOST_TRIES else {ingestion: {}}


@_fault("CAT-X.17", slow=True)
class waits_for_done_only(SmallCatalogClient):
    final_statuses = ("DONE",)


@_fault("CAT-X.5", slow=True)
class polls_without_a_pause(SmallCatalogClient):
    def results_of_messages(self, ids: list[str], results: dict[str, Document]) -> dict[str, Document]:
        return self.ask([each for each in ids if each not in results])

    def ask(self, ids: list[str]) -> dict[str, Document]:
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(self.status, ids * 12))
        return self.results(ids, answers)


@_fault("CAT-X.20")
class hides_rejected_rows(SmallCatalogClient):
    def finish(self, ids: list[str], reports: list[Document]) -> int:
        return 0


@_fault("CAT-X.20")
class always_exits_with_1(SmallCatalogClient):
    def finish(self, ids: list[str], reports: list[Document]) -> int:
        super().finish(ids, reports)
        return 1


@_fault("CAT-X.20")
class exits_with_1_after_several_uploads(SmallCatalogClient):
    def finish(self, ids: list[str], reports: list[Document]) -> int:
        super().finish(ids, reports)
        return int(len(ids) > 1)


class _Prints(SmallCatalogClient):
    """The base of faults that report by their output, and do not report the rejected rows."""

    reports_by = "output"
    rows: list[Row]

    def run(self, rows: list[Row]) -> int:
        self.rows = rows
        return super().run(rows)

    def finish(self, ids: list[str], reports: list[Document]) -> int:
        self.say()
        return 0

    def say(self) -> None:
        """Print the output."""


@_fault("CAT-X.20")
class prints_nothing(_Prints):
    pass


@_fault("CAT-X.20")
class prints_a_constant_text(_Prints):
    def say(self) -> None:
        print("upload finished, some rows were rejected: see SKU-0001, SKU-050010 and the log")  # noqa: T201 - the client's output


@_fault("CAT-X.20")
class prints_its_input(_Prints):
    def say(self) -> None:
        for number, row in enumerate(self.rows):
            print(f"row {number}:", ",".join(row.values()))  # noqa: T201 - the client's output


@_fault("CAT-X.20")
class prints_its_input_as_one_line(_Prints):
    def say(self) -> None:
        print("sent", json.dumps(self.rows))  # noqa: T201 - the client's output


@_fault("CAT-X.20")
class prints_every_row_as_rejected(_Prints):
    def say(self) -> None:
        print("rejected:", ", ".join(row["item_sku"] for row in self.rows))  # noqa: T201 - the client's output


@_fault("CAT-X.20")
class prints_the_last_row_as_rejected(_Prints):
    def say(self) -> None:
        print("rejected:", self.rows[-1]["item_sku"])  # noqa: T201 - the client's output


@_fault("CAT-X.20")
class prints_two_rows_as_rejected_always(_Prints):
    def say(self) -> None:
        print("rejected:", self.rows[len(self.rows) // 2 - 1]["item_sku"])  # noqa: T201 - the client's output
        print("rejected:", self.rows[-1]["item_sku"])  # noqa: T201 - the client's output


@_fault("CAT-X.21", slow=True)
class never_ends(SmallCatalogClient):
    def finish(self, ids: list[str], reports: list[Document]) -> int:
        time.sleep(600)
        return super().finish(ids, reports)


if __name__ == "__main__":
    sys.exit(main(CLIENT_FAULTS.class_of("".join(sys.argv[1:2]))))
