// Shows the result of a connectivity test in plain words: what was sent, what the answer was, and what to do.

import { foreign, h, icon } from "../dom.js";
import { duration, fullTime } from "../time.js";

/**
 * @param {any} result the answer of the connectivity test
 * @param {{status: string, unsaved: string}} seen the test's status now, and the unsaved address of the form
 */
export function resultElement(result, { status, unsaved }) {
  const kind = result.passed ? "good" : "bad";
  const badge = h("span", { class: "badge", dataset: { kind } }, icon(result.passed ? "check" : "cross"), result.passed ? "Passed" : "Failed");
  return h("div", { class: "test-result stack", "data-gap": "small", dataset: { kind } },
    h("div", { class: "row" }, badge, h("span", { class: "muted small" }, fullTime(result.testedAt), " · ", duration(result.elapsedMs))),
    h("p", { class: "meaning" }, h("bdi", {}, result.meaning)),
    result.fix ? h("p", { class: "fix" }, h("strong", {}, "What to do: "), h("bdi", {}, result.fix)) : null,
    status === "Unknown" ? notice("warn", "The connector was changed since this test. Run the test again.") : null,
    unsaved && unsaved !== result.testedEndpoint ? notice("warn", "The form has another address, which is not saved: the test never calls it.") : null,
    result.breaches.length ? h("ul", { class: "plain-list" }, result.breaches.map((breach) => h("li", {}, foreign(breach)))) : null,
    h("dl", { class: "facts" },
      fact("Called", foreign(result.request.url)),
      fact("Store id in the message", foreign(result.sentStoreId)),
      fact("Expected", h("span", {}, String(result.expected))),
      fact("Answer", h("span", {}, result.status === null ? `no answer (${result.cause.replaceAll("_", " ")})` : String(result.status)))),
    exchangePart("What the platform sent", result.request),
    result.response ? exchangePart("What the connector answered", result.response) : null);
}

export function notice(kind, text) {
  return h("p", { class: "notice", dataset: { kind } }, text);
}

function fact(name, value) {
  return [h("dt", {}, name), h("dd", {}, value)];
}

function exchangePart(title, { headers, body }) {
  const text = typeof body === "string" ? body : JSON.stringify(body, null, 2);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join("\n");
  return h("details", {}, h("summary", {}, title),
    h("pre", { class: "exchange", tabindex: 0, role: "region", "aria-label": title }, h("bdi", {}, `${lines}\n\n${text || "(no body)"}`)));
}
