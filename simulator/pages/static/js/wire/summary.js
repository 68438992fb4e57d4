// What the list and the filters need of an exchange: its bodies are read again when it is chosen.

const KINDS = {
  exchange: "Call to the connector",
  delivery: "Delivery of a cart",
  retailer_call: "Call of the retailer",
  resent: "Sent again",
  connectivity_test: "Connectivity test",
};
const FAILURES = { timed_out: "timed out", no_connection: "no connection", malformed_answer: "not the published form" };
const LONGEST_TEXT = 4000;

/** @typedef {{seq: number, at: string, kind: string, operation: string, storeId: string, gate: string, tripId: string,
 *   status: number|null, failure: string|null, elapsedMs: number|null, limitMs: number|null, isLate: boolean,
 *   faults: string[], isMalformed: boolean, broken: string[]|null, outcome: string, level: string, text: string}} Summary */

/** The journal's kinds that are exchanges. */
export const EXCHANGES = Object.keys(KINDS);

/** The outcomes that the filter offers. */
export const OUTCOMES = { success: "Success", refused: "Refused (4xx)", error: "Error (5xx)", none: "No answer", late: "Late", broken: "Breaks a rule", fault: "With a fault" };

/**
 * @param {any} entry of the journal
 * @param {Map<string, any>} operations by name
 * @returns {Summary}
 */
export function summarize(entry, operations) {
  const known = operations.get(entry.operation);
  const isSent = known?.calledBy === "platform";
  const limitMs = isSent ? known.limitMs : null;
  const failure = entry.failure ?? (entry.response ? null : entry.outcome ?? "no_connection");
  const status = entry.response?.status ?? null;
  const isMalformed = [failure, entry.cause, entry.outcome].some((code) => String(code).startsWith("malformed_answer"));
  const isLate = limitMs !== null && (failure === "timed_out" || entry.elapsedMs > limitMs);
  return {
    seq: entry.seq,
    at: entry.at,
    kind: entry.kind,
    operation: entry.operation ?? `${entry.request.method} request`,
    storeId: entry.storeId ?? "",
    gate: entry.gate ?? "",
    tripId: entry.tripId ?? "",
    status,
    failure,
    elapsedMs: entry.elapsedMs ?? null,
    limitMs,
    isLate,
    faults: entry.faults ?? [],
    isMalformed,
    broken: null,
    outcome: outcomeOf(status),
    level: levelOf(status, isLate, isMalformed),
    text: JSON.stringify(entry).slice(0, LONGEST_TEXT).toLowerCase(),
  };
}

/** @param {Summary} one @param {{text: string, operation: string, store: string, outcome: string, failures: boolean}} filter */
export function fits(one, filter) {
  if (filter.operation && one.operation !== filter.operation) return false;
  if (filter.store && one.storeId !== filter.store) return false;
  if (filter.outcome && !hasOutcome(one, filter.outcome)) return false;
  if (filter.failures && !isFailure(one)) return false;
  return !filter.text || one.text.includes(filter.text.toLowerCase());
}

/** Enter the rules that an exchange breaks: its light is then red, whatever its status is. */
export function judge(one, broken) {
  one.broken = broken;
  if (broken.length) one.level = "bad";
}

/** @param {Summary} one @returns {string} what is wrong with an answer, also with a success; "" if nothing is */
export function troubleText({ status, isMalformed, broken }) {
  if (broken?.length) return `breaks ${broken.slice(0, 3).join(", ")}${broken.length > 3 ? " …" : ""}`;
  return isMalformed && status !== null ? FAILURES.malformed_answer : "";
}

/** @returns {string} a status, or why there is none */
export function statusText({ status, failure }) {
  if (status !== null) return String(status);
  return FAILURES[failure] ?? String(failure).replaceAll("_", " ");
}

/** @param {string} kind @returns {string} */
export function kindText(kind) {
  return KINDS[kind] ?? kind;
}

function isFailure(one) {
  return one.isLate || one.isMalformed || Boolean(one.broken?.length) || (one.outcome !== "success" && one.status !== 401);
}

function hasOutcome(one, wanted) {
  if (wanted === "late") return one.isLate;
  if (wanted === "broken") return one.isMalformed || Boolean(one.broken?.length);
  if (wanted === "fault") return one.faults.length > 0;
  return one.outcome === wanted;
}

function outcomeOf(status) {
  if (status === null) return "none";
  if (status >= 500) return "error";
  return status >= 400 ? "refused" : "success";
}

function levelOf(status, isLate, isMalformed) {
  if (status === null || status >= 500 || isMalformed) return "bad";
  return status >= 400 || isLate ? "warn" : "good";
}
