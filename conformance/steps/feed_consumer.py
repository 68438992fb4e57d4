"""Steps of the feed consumer: it books intra-day files in two runs, and its reports show what it booked."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from conformance.retailer_clients import feed_matches as matches
from conformance.retailer_clients.clients import Clients, declared
from conformance.retailer_clients.feed_jobs import FeedJob
from conformance.verify import must
from jwo_contract.profile import Profile

_MATCHES = {
    "it booked every order": matches.booked_every_order,
    "it booked no other order": matches.booked_nothing_else,
    "the file that came twice counted once": matches.booked_the_repeated_file_once,
    "the order that came in two files counted once": matches.booked_the_repeated_order_once,
    "the order that spans two files was whole": matches.joined_the_split_order,
    "the file of an earlier run counted once": matches.booked_the_old_file_once,
    "its captured amounts agreed to the cent": matches.booked_the_captures,
    "its refunded amounts agreed to the cent": matches.booked_the_refunds,
    "its queue was empty at the end": matches.emptied_the_queue,
    "the feed consumer ended by itself": matches.ended,
}


@given(parsers.re("the feed consumer had to (?P<name>.+)"), target_fixture="feed_job")
def a_feed_job(profile: Profile, clients: Clients, name: str) -> FeedJob:
    """Wait until the consumer has finished a job, and return it. Raises NotDeclared if none is declared."""
    jobs = declared(clients.feed, profile.feed_consumer, "[feed_consumer] command", "books the intra-day files")
    return jobs.wait_for_job(name)


@then(parsers.re("(?P<claim>" + "|".join(_MATCHES) + ")"))
def match_claim(feed_job: FeedJob, claim: str) -> None:
    """Match the reports of the consumer."""
    must(_MATCHES[claim](feed_job))
