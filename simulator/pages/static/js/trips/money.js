// The day's money: what each side says of orders and amounts, and the trips on which they do not agree.

import { get } from "../api.js";
import { button, fill, foreign, h, setText } from "../dom.js";
import { listen } from "../events.js";

const AGAIN_AFTER_MS = 2000;
const MOST_TRIPS = 20;

export class Money {
  /** @param {HTMLElement} badge @param {HTMLElement} body @param {(tripId: string) => any} choose shows a trip */
  constructor(badge, body, choose) {
    this.badge = badge;
    this.body = body;
    this.choose = choose;
    this.timer = 0;
    listen({ kinds: ["delivery", "charge", "checkout"], onEntries: () => this.readSoon(), onGap: () => this.readSoon() });
  }

  readSoon() {
    if (!this.timer) this.timer = window.setTimeout(() => this.read(), AGAIN_AFTER_MS);
  }

  async read() {
    this.timer = 0;
    const found = await get(`/reconciliation?most=${MOST_TRIPS}`, { quiet: true }).catch(() => null);
    this.body.removeAttribute("aria-busy");
    if (found) this.show(found);
    else setText(this.badge, "Not known");
  }

  show(found) {
    this.badge.dataset.kind = found.agrees ? "good" : "bad";
    setText(this.badge, found.agrees ? `Difference ${found.difference}` : `Difference ${found.difference}, ${counted(found.disagreements, "disagreement")}`);
    const missing = Object.entries(found.notReconciled);
    fill(this.body, table(found.rows), this._trips(found),
      missing.length || found.notes.length ? h("ul", { class: "plain-list muted" },
        missing.map(([book, reason]) => h("li", {}, "Not compared: ", foreign(`${book}, ${reason}`))),
        found.notes.map((note) => h("li", {}, foreign(note)))) : null);
  }

  _trips({ trips, disagreements }) {
    if (!trips.length) return null;
    return h("div", { class: "stack", dataset: { gap: "small" } },
      h("ul", { class: "plain-list" }, trips.map(({ tripId, says }) => h("li", {},
        button(`Trip ${tripId.slice(0, 8)}`, { kind: "quiet", onClick: () => this.choose(tripId) }), " ", foreign(says)))),
      disagreements > trips.length ? h("p", { class: "muted small" }, `The first ${trips.length} of ${disagreements}`) : null);
  }
}

function table(rows) {
  const books = [...new Set(rows.flatMap((row) => Object.keys(row.books)))];
  return h("div", { class: "table-frame" }, h("table", { class: "listed money" },
    h("caption", { class: "visually-hidden" }, "Orders and money by side"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "What"), books.map((book) => h("th", { scope: "col", class: "number" }, foreign(titled(book)))), h("th", { scope: "col", class: "number" }, "Difference"))),
    h("tbody", {}, rows.map((row) => h("tr", {},
      h("td", { "data-label": "What" }, h("strong", {}, row.name)),
      books.map((book) => h("td", { class: "number", "data-label": titled(book) }, row.books[book] ? summed(row.books[book]) : "–")),
      h("td", { class: "number", "data-label": "Difference" }, row.difference))))));
}

function summed({ count, money }) {
  const amounts = Object.entries(money).map(([code, amount]) => `${amount} ${code}`);
  return [String(count), ...amounts].join(" · ");
}

const titled = (name) => name.charAt(0).toUpperCase() + name.slice(1);
const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
