// The trips of the journal: who came in, whether the shopper is inside, and the result of the delivery.

const KEPT = 1000;

export const STATES = {
  inside: ["Inside", "accent"],
  waiting: ["Waiting for delivery", "warn"],
  delivered: ["Delivered", "good"],
  dead_letter: ["Dead letter", "bad"],
  no_cart: ["No cart is sent", ""],
};

/** @typedef {{tripId: string, storeId: string, visitor: string, type: string, state: string, at: string, attempts: number}} Record */

export class Records {
  constructor() {
    /** @type {Map<string, Record>} by trip, oldest first */
    this.byTrip = new Map();
    this.newest = 0;
  }

  /** Forget all, before the journal is read again. */
  clear() {
    this.byTrip.clear();
    this.newest = 0;
  }

  /** Learn from entries of the journal, oldest first. */
  take(entries) {
    for (const entry of entries) {
      if (entry.seq <= this.newest) continue; // what was read again may come by the stream too
      this.newest = entry.seq;
      if (!entry.tripId) continue;
      if (entry.kind === "gate_decision" && entry.opens) this._at(entry, { visitor: entry.visitor?.id ?? "", type: entry.visitor?.type ?? "" });
      if (entry.kind === "exit") this._at(entry, { state: entry.cartIsSent ? "waiting" : "no_cart" });
      if (entry.kind === "delivery" && entry.outcome) this._takeAttempt(entry); // a copy by a fault has no outcome
    }
    for (const tripId of this.byTrip.keys()) {
      if (this.byTrip.size <= KEPT) break;
      this.byTrip.delete(tripId);
    }
  }

  /** Learn who is inside, also those that the journal no longer has. */
  takeInside(tripIds) {
    for (const tripId of tripIds) if (!this.byTrip.has(tripId)) this._at({ tripId, storeId: "", at: "" }, {});
  }

  /** Learn the deliveries in a state, as GET /deliveries lists them. */
  takeDeliveries(deliveries) {
    for (const { tripId, storeId, state, attempts } of deliveries) {
      this._at({ tripId, storeId, at: attempts.at(-1)?.at ?? "" }, { state: state === "pending" ? "waiting" : state, attempts: attempts.length });
    }
  }

  /** @returns {Record[]} newest first */
  find(state, text) {
    const wanted = text.toLowerCase();
    const fits = (one) => (!state || one.state === state) && (!wanted || `${one.tripId} ${one.visitor} ${one.storeId}`.toLowerCase().includes(wanted));
    return [...this.byTrip.values()].reverse().filter(fits);
  }

  /** @returns {Record<string, number>} how many trips are in each state */
  counts() {
    const counts = {};
    for (const { state } of this.byTrip.values()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }

  _takeAttempt(entry) {
    const known = this.byTrip.get(entry.tripId);
    const isDelivered = entry.outcome === "delivered" || known?.state === "delivered";
    this._at(entry, { state: isDelivered ? "delivered" : "waiting", attempts: (known?.attempts ?? 0) + 1 });
  }

  _at({ tripId, storeId, at }, more) {
    const known = this.byTrip.get(tripId) ?? { tripId, storeId, visitor: "", type: "", state: "inside", at, attempts: 0 };
    this.byTrip.set(tripId, Object.assign(known, more, storeId ? { storeId } : {}));
  }
}
