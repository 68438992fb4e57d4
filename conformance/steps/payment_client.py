"""Steps of the payment client: it gets trips to charge and refunds to make, and the platform shows what it did."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from conformance.retailer_clients import payment_matches as matches
from conformance.retailer_clients.call_matches import client_ended, signed
from conformance.retailer_clients.clients import Clients, declared
from conformance.retailer_clients.payment_jobs import PaymentJob
from conformance.run.recorder import Recorder
from conformance.steps.client_jobs import wait_for_job
from conformance.verify import must
from jwo_contract.profile import Profile

_MATCHES = {
    "every payment call was signed as it must be": signed,
    "the platform understood every payment call": matches.understood,
    "the platform took the total of each cart": matches.took_the_totals,
    "each capture had an approved adjustment before it": matches.adjusted_first,
    "no trip was captured twice": matches.captured_once,
    "the charge of the empty cart was cancelled": matches.cancelled_the_empty,
    "the platform made each refund once": matches.refunded_exactly,
    "the attempts of a refund had one id": matches.refunds_keep_their_id,
    "each refund had an id of its own": matches.refunds_have_own_ids,
    "each failed payment call came again and was accepted": matches.retried,
    "each failed payment call came again no sooner than it should": matches.waited_before_retry,
    "the pending adjustment came again until it was approved": matches.asked_again_while_pending,
    "nothing pending was captured": matches.captured_nothing_pending,
    "nothing declined was captured": matches.captured_nothing_declined,
    "the refused payment call did not come again": matches.not_retried,
    "the other trips were charged": matches.charged_the_others,
    "it reported the money of the platform to the cent": matches.reports_the_money,
    "the payment client ended by itself": client_ended,
}


@given(parsers.re("the payment client had to (?P<name>.+)"), target_fixture="payment_job")
def a_payment_job(profile: Profile, recorder: Recorder, clients: Clients, name: str) -> PaymentJob:
    """Wait until the client has finished a job, and return it. Raises NotDeclared if no client is declared."""
    jobs = declared(clients.payment, profile.payment_client, "[payment_client] command", "charges and refunds trips")
    return wait_for_job(jobs, name, recorder)


@then(parsers.re("(?P<claim>" + "|".join(_MATCHES) + ")"))
def match_claim(payment_job: PaymentJob, claim: str) -> None:
    """Match the calls that the platform saw."""
    must(_MATCHES[claim](payment_job))
