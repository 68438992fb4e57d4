// Says in plain words why a gate decided as it did.

const NO_ANSWER = {
  timed_out: "The connector did not answer within the limit",
  no_connection: "The connector could not be reached",
  malformed_answer: "The connector's answer does not have the published form",
};
const SENTENCES = {
  200: "The connector knows this visitor.",
  400: "The connector says that the request is not valid.",
  401: "The connector refuses this code.",
  429: "The connector says that it gets too many requests.",
  unreadable: "The reader finds no code in the picture.",
  qr_pattern: "The code does not match the store's pattern, so no call was made.",
  unsendable_key: "The code does not fit into a message, so no call was made.",
  method_off: "This store does not accept this way in.",
  cannot_join: "The trip to join has ended or is in another store.",
  authorized: "The retailer authorizes this means of payment.",
  adjusted: "The retailer authorizes this means of payment with another amount.",
  denied: "The retailer denies this means of payment.",
  amazon_managed: "The platform trusts this means of payment.",
  no_strategy: "The store has no strategy for fraud, so the reader lets the card in.",
  accepted: "The connector accepts this loyalty card.",
  rejected: "The connector rejects this loyalty card.",
};
const DECIDERS = {
  gate: "the gate",
  reader: "the card reader",
  platform: "the platform",
  retailer: "the connector",
  store_default: "the store default",
};

/**
 * @param {{cause: string, action: string, opens: boolean, problem?: string}} decision
 * @returns {string} one or two sentences
 */
export function causeSentence({ cause, action, opens, problem }) {
  if (action === "store_default") {
    const where = cause.startsWith("malformed_answer") ? " The Wire page shows what is wrong with the answer." : "";
    return `${noAnswer(cause)}, so the store default applies: ${opens ? "open" : "closed"}.${where}`;
  }
  const [word, detail] = cause.split(":");
  if (word === "risk") return `The platform refuses this means of payment: ${detail}.`;
  if (word === "reader") return `The card reader refuses this card: ${detail}.`;
  const sentence = SENTENCES[word] ?? `The connector answered ${cause}.`;
  if (word === "unreadable" && problem) return `${sentence} Reason: ${problem}.`;
  return detail ? `${sentence.slice(0, -1)}: ${detail}.` : sentence;
}

/** @param {string} decidedBy @returns {string} */
export function decider(decidedBy) {
  return DECIDERS[decidedBy] ?? decidedBy;
}

/** @param {{visitor: {id: string, type: string}|null}} decision @returns {string} who is at the gate */
export function visitorName({ visitor }) {
  return visitor ? visitor.id : "Unknown visitor";
}

/** @param {{visitor: {id: string, type: string}|null}} decision @returns {string} Shopper, Associate, Cash shopper or "" */
export function visitorType({ visitor }) {
  if (!visitor) return "";
  const words = visitor.type.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function noAnswer(cause) {
  const [word] = cause.split(":");
  return NO_ANSWER[word] ?? `The connector failed with status ${word}`;
}
