// Plain words for the codes in the journal's entries: outcomes, causes, and reasons of refusals.

const OUTCOMES = {
  accepted: "The platform accepts the call",
  delivered: "Delivered",
  refused: "Refused",
  server_error: "The connector failed, so the platform tries again",
  rate_limited: "The connector gets too many requests, so the platform tries again",
  malformed_answer: "The answer does not have the published form",
  timed_out: "No answer within the limit",
  no_connection: "The connector could not be reached",
  access_denied: "Access denied",
  answer_lost: "A fault of the platform took the answer away",
  caller_left: "The caller closed the connection before the answer",
  platform_error: "The platform failed by mistake",
  platform_failed: "A fault of the platform made the call fail",
  service_unavailable: "A fault of the platform made the service unavailable",
  too_many_requests: "Too many calls: the account is over its rate",
  bad_call: "The call is not valid",
  call_refused: "The call is not valid",
  catalog_refusal: "The catalog is not valid",
  not_known: "There is nothing of this id",
  not_now: "Not possible in the present state",
  not_signed_in: "The caller is not signed in",
  not_permitted: "The user lacks the permission",
  aws: "SNS, SQS or S3 does not answer",
};
const REASONS = {
  stale: "Clock skew: the time of the signature is too far from the platform's clock",
  mismatch: "The signature does not match the request",
  missing: "The request is not signed",
  malformed: "The signature's headers do not have the right form",
  unknown_key: "The access key is not known",
  wrong_token: "The session token does not belong to the access key",
  unsigned_header: "A header that must be signed is not signed",
  unsigned_link: "The link is not signed",
  wrong_link: "The signature of the link is wrong",
  expired_link: "The link has expired",
};
const RISKS = { recommendation: "by the platform's recommendation", store_default: "by the store default" };

/** @param {string} code @returns {string} what happened to an exchange */
export function outcomeWords(code) {
  const [word, detail] = code.split(":");
  if (/^\d{3}$/.test(word)) return `The connector answered ${word}${detail ? `, ${RISKS[detail] ?? spaced(detail)}` : ""}`;
  const sentence = OUTCOMES[word] ?? spaced(word);
  return detail ? `${sentence}, ${RISKS[detail] ?? spaced(detail)}` : sentence;
}

/** @param {string} code a code of a refusal, or a sentence @returns {string} */
export function reasonWords(code) {
  return REASONS[code] ?? code;
}

function spaced(code) {
  const text = code.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
