// The floor as this page knows it: stores, gates with their states, and the trips of the shoppers inside.

import { get } from "../api.js";
import { PlatformTime } from "../time.js";

const MOST_LOGGED = 12;
const MOST_INSIDE = 200;

export class Floor {
  constructor() {
    this.time = new PlatformTime();
    /** @type {any[]} */
    this.stores = [];
    /** @type {Map<string, any>} by the gate's name */
    this.gates = new Map();
    /** @type {Map<string, any>} decisions that let a visitor in, by trip, oldest first */
    this.inside = new Map();
    /** @type {any[]} newest first */
    this.log = [];
    /** @type {Set<string>} gates that opened and may lock again */
    this.unlocked = new Set();
    this.answerWithinS = 2;
    this.gateOpenS = 5;
  }

  /** Read everything from the platform. */
  async read() {
    const [shown, trips, recent] = await Promise.all([
      get("/stores"),
      get(`/trips?limit=${MOST_INSIDE}`),
      get("/journal?kind=gate_decision&limit=500"),
    ]);
    this.time.set({ now: shown.now, speed: this.time.speed });
    this.answerWithinS = shown.answerWithinS;
    this.gateOpenS = shown.gateOpenS;
    this.stores = shown.stores;
    this.gates = new Map(shown.stores.flatMap((store) => store.gates.map((gate) => [gate.gate, gate])));
    this.unlocked = new Set([...this.gates.values()].filter((gate) => gate.lock === "unlocked").map((gate) => gate.gate));
    const entered = new Map(recent.filter((one) => one.opens && one.tripId).map((one) => [one.tripId, one]));
    this.inside = new Map(trips.tripIds.map((id) => [id, entered.get(id) ?? { tripId: id, gate: "", storeId: "", visitor: null }]));
    this.log = recent.slice(-MOST_LOGGED).reverse();
    return recent.at(-1)?.seq;
  }

  /**
   * Take in new entries of the journal.
   * @returns {Set<string>} the gates that changed
   */
  take(entries) {
    const changed = new Set();
    for (const entry of entries) {
      if (entry.kind === "exit") this.inside.delete(entry.tripId);
      else if (entry.kind === "gate_decision") {
        if (entry.opens && entry.tripId) this._enter(entry);
        const gate = this.gates.get(entry.gate);
        if (gate) {
          gate.light = entry.light;
          gate.lock = entry.opens ? "unlocked" : "locked";
          gate.lastDecision = entry;
          if (entry.opens) this.unlocked.add(entry.gate);
          changed.add(entry.gate);
        }
        if (entry.seq > (this.log[0]?.seq ?? 0)) this.log.unshift(entry); // what was read again may come by the stream too
      }
    }
    this.log.length = Math.min(this.log.length, MOST_LOGGED);
    return changed;
  }

  /** Lock the gates that have been open long enough. @returns {string[]} the gates that changed */
  lockAgain() {
    const now = this.time.now().getTime();
    const over = [...this.unlocked].filter((name) => now >= Date.parse(this.gates.get(name)?.lastDecision?.at ?? 0) + this.gateOpenS * 1000);
    for (const name of over) {
      this.unlocked.delete(name);
      const gate = this.gates.get(name);
      if (gate) gate.lock = "locked";
    }
    return over;
  }

  storeOf(gateName) {
    return this.stores.find((store) => store.storeId === this.gates.get(gateName)?.storeId);
  }

  /** @returns {any[]} the newest first */
  insideOf(storeId, most) {
    const found = [...this.inside.values()].filter((one) => one.storeId === storeId || !one.storeId);
    return found.slice(-most).reverse();
  }

  _enter(entry) {
    this.inside.set(entry.tripId, entry);
    if (this.inside.size > 2 * MOST_INSIDE) this.inside.delete(this.inside.keys().next().value);
  }
}
