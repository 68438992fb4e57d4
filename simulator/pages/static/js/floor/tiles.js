// The gates of a store as tiles, and the newest decisions of all gates. Only what changed is drawn again.

import { causeSentence, visitorName } from "../causes.js";
import { fill, foreign, h, icon, keyed, setText } from "../dom.js";
import { clockTime, duration } from "../time.js";

const LOCKS = { locked: "lock", unlocked: "unlock" };

export class Tiles {
  /** @param {(gate: string) => any} choose */
  constructor(choose) {
    this.choose = choose;
    this.element = h("div", { class: "tiles", role: "group", "aria-label": "Gates" });
    /** @type {Map<string, any>} */
    this.parts = new Map();
  }

  /** Show all gates of a store. */
  show(gates, chosen) {
    keyed(this.element, gates, (gate) => gate.gate, (gate) => this._make(gate));
    for (const gate of gates) this.update(gate, chosen);
  }

  /** Show one gate's new state. */
  update(gate, chosen) {
    const parts = this.parts.get(gate.gate);
    if (!parts) return;
    parts.button.dataset.light = gate.light;
    parts.button.setAttribute("aria-pressed", String(gate.gate === chosen));
    if (parts.lock.dataset.lock !== gate.lock) {
      parts.lock.dataset.lock = gate.lock;
      fill(parts.lock, icon(LOCKS[gate.lock] ?? "lock"), h("span", { class: "visually-hidden" }, gate.lock));
    }
    const decision = gate.lastDecision;
    setText(parts.state, decision ? `${decision.opens ? "Opened" : "Closed"} · ${decision.action === "not_called" ? "no call" : duration(decision.elapsedMs)}` : "Ready");
  }

  _make(gate) {
    const state = h("span", { class: "tile-state" });
    const lock = h("span", { class: "tile-lock" });
    const button = h("button", { class: "tile", type: "button", on: { click: () => this.choose(gate.gate) } },
      h("span", { class: "tile-light" }), h("span", { class: "tile-text" }, h("span", { class: "tile-name cut" }, foreign(gate.gate)), state), lock);
    this.parts.set(gate.gate, { button, state, lock });
    return button;
  }
}

/** The newest decisions: a list of a fixed length. */
export class DecisionLog {
  /** @param {(gate: string) => any} choose */
  constructor(choose) {
    this.choose = choose;
    this.element = h("ol", { class: "log", dataset: { empty: "The decisions of all gates appear here." } });
  }

  show(entries) {
    keyed(this.element, entries, (entry) => JSON.stringify(entry), (entry) => this._make(entry));
  }

  _make(entry) {
    return h("li", {}, h("button", { class: "log-row", type: "button", dataset: { light: entry.light }, on: { click: () => this.choose(entry.gate) } },
      h("span", { class: "tile-light" }),
      h("span", { class: "log-text" }, h("span", { class: "cut" }, h("strong", {}, foreign(visitorName(entry))), " at ", foreign(entry.gate || "an associate's device")),
        h("span", { class: "muted small cut", title: causeSentence(entry) }, causeSentence(entry))),
      h("span", { class: "number small muted" }, clockTime(entry.at), h("br"), duration(entry.elapsedMs))));
  }
}
