"""Steps of the catalog client: it gets a job, and the suite judges it by the calls that arrive at the platform."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from conformance.catalog_client import matches
from conformance.catalog_client.jobs import WITH_WRONG_ROW, WITHOUT_WRONG_ROW, Job
from conformance.retailer_clients.call_matches import client_ended, signed, typed_as_json
from conformance.retailer_clients.clients import Clients, declared
from conformance.run.recorder import Recorder
from conformance.verify import must
from jwo_contract.profile import Profile

_MATCHES = {
    "every call was signed as it must be": signed,
    "the platform understood every call": matches.understood,
    "every call said that it was JSON": typed_as_json,
    "no upload had more items than it may have": matches.within_item_limit,
    "the platform holds every valid row": matches.holds_all_rows,
    "the platform holds nothing else": matches.nothing_else,
    "no row was in two uploads": matches.uploaded_once,
    "it never called too often": matches.within_rate,
    "it ended by itself": client_ended,
    "it ended although its upload had failed": matches.client_ended_after_failure,
    "the upload came again and was accepted": matches.retried,
    "the upload came again no sooner than it should": matches.waited_before_retry,
    "the upload did not come again": matches.not_retried,
    "its subscription is confirmed, if it reads its queue": matches.subscribed,
    "it fetched every report": matches.fetched_reports,
    "it fetched every report, whatever its queue delivered": matches.fetched_reports_with_queue,
}


@given(parsers.re("the client had to upload (?P<name>.+)"), target_fixture="job")
def a_job(profile: Profile, recorder: Recorder, clients: Clients, name: str) -> Job:
    """Wait until the client has finished a job, and return it.

    Raises NotDeclared if the profile declares no client, or if the simulated platform is not installed.
    """
    jobs = declared(clients.catalog, profile.catalog_client, "[catalog_client] command", "uploads a catalog")
    job = jobs.wait_for_job(name)
    recorder.keep_all([call.exchange for call in job.calls])
    return job


@then("it reported the row that was rejected")
def match_rejected_row_report(profile: Profile, job: Job) -> None:
    """Match in the way that the profile declares."""
    must(matches.reports_rejected_row(profile.catalog_client)(job))


@then("it reported the wrong row of a small catalog, and none of the same catalog without it")
def match_only_the_wrong_row(profile: Profile, recorder: Recorder, clients: Clients) -> None:
    """Match the report of one row, and no report of the same rows if the platform rejects nothing."""
    table = profile.catalog_client
    rejecting = a_job(profile, recorder, clients, WITH_WRONG_ROW)
    must(matches.reports_rejected_row(table)(rejecting))
    must(matches.reports_nothing_else(table, rejecting)(a_job(profile, recorder, clients, WITHOUT_WRONG_ROW)))


@then(parsers.re("(?P<claim>" + "|".join(_MATCHES) + ")"))
def match_claim(job: Job, claim: str) -> None:
    """Match the calls that the platform saw."""
    must(_MATCHES[claim](job))
