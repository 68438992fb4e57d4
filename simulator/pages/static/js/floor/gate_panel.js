// The chosen gate: its light, its lock, who is at it, the decision with its cause, and a stop-watch against the limit.

import { causeSentence, decider, visitorName, visitorType } from "../causes.js";
import { fill, foreign, h, icon, setText } from "../dom.js";
import { clockTime } from "../time.js";

const WORDS = { green: "Open", red: "Closed", unreadable: "Unreadable", off: "Ready" };

export class GatePanel {
  constructor() {
    this.light = h("div", { class: "light", dataset: { light: "off" } });
    this.word = h("p", { class: "light-word" }, "Ready");
    this.lock = h("span", { class: "badge" });
    this.name = h("h2", { class: "gate-name" });
    this.who = h("div", { class: "gate-who" });
    this.cause = h("p", { class: "gate-cause" });
    this.time = h("span", { class: "watch-time" }, "0.000 s");
    this.limit = h("span", { class: "muted small" });
    this.bar = h("div", { class: "watch-bar" });
    this.extra = h("div", { class: "gate-extra" });
    this.element = h("section", { class: "card gate-panel", "aria-label": "The chosen gate" },
      h("div", { class: "gate-head" }, this.name, this.lock),
      h("div", { class: "gate-hero" }, this.light, h("div", { class: "gate-result", role: "status" }, this.word, this.who, this.cause)),
      h("div", { class: "watch" }, h("div", { class: "row", "data-spread": true }, this.time, this.limit), h("div", { class: "watch-track" }, this.bar)),
      this.extra);
    this.waitsSince = 0;
    this.limitS = 2;
  }

  /** Show a gate and its last decision. While the gate waits for an answer, only the lock changes. */
  show(gate, limitS) {
    this.limitS = limitS;
    setText(this.limit, `of ${limitS} s`);
    fill(this.name, foreign(gate.gate));
    this._showLock(gate.lock);
    if (this.waitsSince) return;
    const decision = gate.lastDecision;
    this.light.dataset.light = gate.light;
    this.light.dataset.lock = gate.lock;
    setText(this.word, gate.light === "green" && gate.lock === "locked" ? "Let in" : WORDS[gate.light] ?? gate.light);
    if (!decision) {
      fill(this.who, "No visitor yet");
      setText(this.cause, "Choose a visitor below, or show a code of your own.");
      this._showTime(0);
      return;
    }
    const type = visitorType(decision);
    fill(this.who, icon("person"), foreign(visitorName(decision)), type ? h("span", { class: "badge" }, type) : null, h("span", { class: "muted small" }, `at ${clockTime(decision.at)}`));
    fill(this.cause, causeSentence(decision), " ", h("span", { class: "muted" }, `Decided by ${decider(decision.decidedBy)}.`));
    this._showTime(decision.elapsedMs ?? 0);
  }

  /** Start the stop-watch: a code is on its way. */
  wait(what) {
    this.waitsSince = performance.now();
    this.light.dataset.light = "waiting";
    setText(this.word, "Waiting");
    fill(this.who, icon("person"), what);
    setText(this.cause, "The connector has the question.");
    fill(this.extra);
    this._tick();
  }

  /** Stop the stop-watch. */
  stop() {
    this.waitsSince = 0;
  }

  /** Show something below the stop-watch, such as the answer to the same event. */
  note(...content) {
    fill(this.extra, ...content);
  }

  _tick() {
    if (!this.waitsSince) return;
    this._showTime(performance.now() - this.waitsSince);
    window.requestAnimationFrame(() => this._tick());
  }

  _showTime(ms) {
    setText(this.time, `${(ms / 1000).toFixed(3)} s`);
    const share = Math.min(1, ms / 1000 / this.limitS);
    this.bar.style.setProperty("transform", `scaleX(${share})`);
    this.bar.dataset.level = share >= 1 ? "over" : share > 0.5 ? "near" : "fine";
  }

  _showLock(lock) {
    if (this.lock.dataset.lock === lock) return;
    this.lock.dataset.lock = lock;
    this.lock.dataset.kind = lock === "unlocked" ? "good" : "";
    fill(this.lock, icon(lock === "unlocked" ? "unlock" : "lock"), lock === "unlocked" ? "Unlocked" : "Locked");
  }
}
