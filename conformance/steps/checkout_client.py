"""Steps of the checkout client: it gets priced carts to send, and the platform shows the orders."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from conformance.retailer_clients import checkout_matches as matches
from conformance.retailer_clients.call_matches import client_ended, signed
from conformance.retailer_clients.checkout_jobs import CheckoutJob
from conformance.retailer_clients.clients import Clients, declared
from conformance.run.recorder import Recorder
from conformance.steps.client_jobs import wait_for_job
from conformance.verify import must
from jwo_contract.profile import Profile

_MATCHES = {
    "every checkout call was signed as it must be": signed,
    "the platform understood every cart": matches.understood,
    "the totals of every cart agreed": matches.agreed,
    "each order had the total of its lines": matches.ordered_the_totals,
    "each cart had all its lines": matches.sent_every_line,
    "the empty cart was not sent": matches.skipped_the_empty,
    "the attempts of a cart were equal": matches.repeated_unchanged,
    "the failed cart came again and was accepted": matches.retried,
    "the failed cart came again no sooner than it should": matches.waited_before_retry,
    "the refused cart did not come again": matches.not_retried,
    "the other carts were accepted": matches.ordered_the_others,
    "it reported the orders of the platform to the cent": matches.reports_the_orders,
    "the checkout client ended by itself": client_ended,
}


@given(parsers.re("the checkout client had to (?P<name>.+)"), target_fixture="checkout_job")
def a_checkout_job(profile: Profile, recorder: Recorder, clients: Clients, name: str) -> CheckoutJob:
    """Wait until the client has finished a job, and return it. Raises NotDeclared if no client is declared."""
    jobs = declared(clients.checkout, profile.checkout_client, "[checkout_client] command", "sends priced carts")
    return wait_for_job(jobs, name, recorder)


@then(parsers.re("(?P<claim>" + "|".join(_MATCHES) + ")"))
def match_claim(checkout_job: CheckoutJob, claim: str) -> None:
    """Match the calls that the platform saw."""
    must(_MATCHES[claim](checkout_job))
