"""The catalog client: it was given a job, and is judged by what the platform saw of it."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from conformance.catalog_client import matches
from conformance.catalog_client.jobs import Job, Jobs
from conformance.errors import NotDeclared
from conformance.run.recorder import Recorder
from conformance.verify import must
from contract.profile import Profile

_THEN = {
    "every call was signed as it must be": matches.signed,
    "the platform understood every call": matches.understood,
    "every call said that it was JSON": matches.typed_as_json,
    "no upload had more items than it may have": matches.split,
    "the platform holds every row that is right": matches.complete,
    "the platform holds nothing else": matches.nothing_else,
    "no row was in two uploads": matches.once,
    "it never called too often": matches.within_rate,
    "it ended by itself": matches.ended,
    "it ended though its upload had failed": matches.ended_after_failure,
    "the upload came again and was taken": matches.tried_again,
    "the upload came again no sooner than it should": matches.waited,
    "the upload did not come again": matches.given_up,
    "its subscription is confirmed, if it reads its queue": matches.subscribed,
    "it fetched every report": matches.followed,
    "it fetched every report in spite of its queue": matches.followed_by_queue,
}


@given(parsers.re("the client had to upload (?P<what>.+)"), target_fixture="job")
def a_job(recorder: Recorder, catalog_client: Jobs | None, what: str) -> Job:
    """Return a job that the client was given, when it is done; NotDeclared when there is no client."""
    if catalog_client is None:
        raise NotDeclared(
            "[catalog_client] command is not declared: the command that uploads a catalog with your own client"
        )
    job = catalog_client.done(what)
    recorder.keep_all([call.exchange for call in job.calls])
    return job


@then("it told of the row that was rejected")
def rejected_row_is_told(profile: Profile, job: Job) -> None:
    """Judge by the way that the profile declares."""
    must(matches.tells(profile.catalog_client)(job))


@then(parsers.re("(?P<claim>" + "|".join(_THEN) + ")"))
def judged(job: Job, claim: str) -> None:
    """Judge what the platform saw."""
    must(_THEN[claim](job))
