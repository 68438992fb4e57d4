// The chosen trip: its cart, its time line, its purchase, and what one can do with it.

import { get, post, at } from "../api.js";
import { button, emptyState, fill, foreign, h, icon, keyed } from "../dom.js";
import { clockTime, duration, fullTime } from "../time.js";
import { toast } from "../toast.js";
import { bodyView } from "../wire/json_view.js";
import { STATES } from "./records.js";

const MOST_LINES = 200;
const MOST_EVENTS = 100;

export class TripDetail {
  /** @param {HTMLElement} element @param {string} appUrl of the connector's phone page; "" if it has none */
  constructor(element, appUrl) {
    this.element = element;
    this.appUrl = appUrl;
    this.tripId = "";
    this.shown = "";
  }

  clear() {
    this.tripId = this.shown = "";
    this.element.dataset.empty = "true";
    fill(this.element, emptyState("cart", "Choose a trip", "Its cart, the attempts to deliver it and the purchase appear here."));
  }

  /** Show a trip, or read it again. */
  async show(tripId) {
    this.tripId = tripId;
    const read = await Promise.all([
      get(at`/trips/${tripId}`, { quiet: true }).catch(() => null),
      get(`/deliveries?${new URLSearchParams({ tripId })}`, { quiet: true }),
      get(`/journal?${new URLSearchParams({ trip: tripId, limit: String(MOST_EVENTS) })}`, { quiet: true }),
    ]).catch(() => null);
    if (!read || this.tripId !== tripId) return;
    const [trip, [delivery], events] = read;
    this.element.dataset.empty = "false";
    if (!trip && !delivery) {
      fill(this.element, emptyState("cart", "The platform does not know this trip", "It may have forgotten it: JWO_PLATFORM_ENDED_TRIPS sets how many ended trips it keeps."));
      return;
    }
    this.deliveries = events.filter(({ kind }) => kind === "delivery");
    fill(this.element, this._head(trip, delivery, events), this._actions(trip, delivery), cartView(trip, this.deliveries), purchaseView(delivery, this.deliveries, this._receipt(trip, delivery)), timeLine(events));
  }

  _head(trip, delivery, events) {
    const entry = events.find(({ kind }) => kind === "gate_decision");
    const [word, kind] = STATES[stateOf(trip, delivery)];
    const visitor = trip?.visitor?.id ?? entry?.visitor?.id ?? "Unknown visitor";
    const facts = [["Trip", this.tripId], ["Store", trip?.storeId ?? delivery?.storeId], ["Gate", trip?.gate], ["In", trip && fullTime(trip.startTime)], ["Out", trip?.endTime && fullTime(trip.endTime)], ["Reason", delivery?.reason]];
    return h("div", { class: "stack", dataset: { gap: "small" } },
      h("div", { class: "row", "data-spread": true }, h("h2", {}, foreign(visitor)), h("span", { class: "badge", dataset: { kind } }, word)),
      h("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, foreign(value))])));
  }

  _actions(trip, delivery) {
    if (trip?.state === "shopping") {
      return h("div", { class: "row" },
        button("Walk out", { iconName: "exit", kind: "primary", onClick: () => this._leave() }),
        button("Walk out, cart sent twice", { iconName: "repeat", title: "Arms the fault duplicate for this trip", onClick: () => this._leave("duplicate") }),
        button("Walk out, copies at once", { iconName: "people", title: "Arms the fault concurrent_duplicates for this trip", onClick: () => this._leave("concurrent_duplicates") }));
    }
    const canSend = this.deliveries.length > 0;
    return h("div", { class: "row" },
      delivery?.state === "dead_letter" ? button("Send the dead letter again", { iconName: "repeat", kind: "primary", onClick: () => this._redrive() }) : null,
      canSend ? button("The same trip again", { iconName: "repeat", onClick: () => this._again(1) }) : null,
      canSend ? button("Two at once", { iconName: "people", onClick: () => this._again(2) }) : null);
  }

  async _leave(fault) {
    const tripId = this.tripId;
    if (fault) await post("/faults", { name: fault, where: { operation: "Create Purchases", trip: tripId } });
    await post(at`/trips/${tripId}/leave`).catch(() => null);
  }

  async _redrive() {
    await post(at`/deliveries/${this.tripId}/redrive`);
    toast("info", "The platform sends the cart again");
  }

  /** Send the last delivery again, this number of times at the same moment, and compare the purchases. */
  async _again(times) {
    const { seq } = this.deliveries.at(-1);
    const first = this.deliveries.find(({ purchaseId }) => purchaseId !== null && purchaseId !== undefined);
    const entries = await Promise.all(Array.from({ length: times }, () => post(at`/journal/${seq}/resend`)));
    const known = [...(first ? [first.purchaseId] : []), ...entries.map(({ response }) => response?.body?.purchaseId)];
    const isSame = known.every((each) => each === known[0] && each !== undefined);
    const answers = entries.map(({ response }) => response?.status ?? "no answer").join(" and ");
    if (isSame) toast("good", "The purchase is the same", `The answer is ${answers}.`);
    else toast("bad", "The purchase is not the same", `The answer is ${answers}. One trip is one purchase: see rule CP-2.`);
    await this.show(this.tripId);
  }

  _receipt(trip, delivery) {
    if (!this.appUrl || !delivery?.purchaseId) return null;
    const shopper = trip?.visitor?.id;
    return h("p", { class: "small" }, h("a", { href: this.appUrl, target: "_blank", rel: "noopener" }, "Open the phone"),
      shopper ? [" and sign in as ", foreign(shopper), " to read the receipt."] : " to read the receipt.");
  }
}

function stateOf(trip, delivery) {
  if (delivery) return delivery.state === "pending" ? "waiting" : delivery.state;
  if (trip.state === "shopping") return "inside";
  return trip.cartIsSent ? "waiting" : "no_cart";
}

function cartView(trip, deliveries) {
  const items = trip?.cartItems ?? deliveries.at(-1)?.request?.body?.cartItems ?? [];
  const title = h("h3", {}, items.length === 1 ? "Cart of 1 line" : `Cart of ${items.length} lines`);
  if (!items.length) return h("section", { class: "stack", dataset: { gap: "small" } }, title, h("p", { class: "muted small" }, trip?.state === "shopping" ? "Pick goods on the floor: they appear here." : "The cart is empty."));
  const rows = h("tbody");
  keyed(rows, items.slice(0, MOST_LINES), ({ id, type, quantity }) => `${type} ${id} ${quantity.unit}`, lineRow);
  const heads = ["Item", "Type", "Quantity"].map((text) => h("th", { scope: "col", class: text === "Quantity" ? "number" : "" }, text));
  return h("section", { class: "stack", dataset: { gap: "small" } }, title,
    h("div", { class: "table-frame" }, h("table", {}, h("thead", {}, h("tr", {}, heads)), rows)),
    items.length > MOST_LINES ? h("p", { class: "muted small" }, `The first ${MOST_LINES} lines are here. The request on the page Wire has all of them.`) : null);
}

function lineRow({ id, type, quantity }) {
  return h("tr", {}, h("td", { class: "mono" }, foreign(id)), h("td", {}, type), h("td", { class: "number" }, quantity.unit === "unit" ? quantity.value.replace(/\.0$/, "") : `${quantity.value} ${quantity.unit}`));
}

function purchaseView(delivery, deliveries, receipt) {
  if (!delivery) return null;
  const last = deliveries.findLast(({ outcome }) => outcome === "delivered") ?? deliveries.at(-1);
  const purchase = delivery.purchaseId === "" ? "An empty cart makes no purchase: the id is empty." : delivery.purchaseId;
  return h("section", { class: "stack", dataset: { gap: "small" }, "aria-label": "Purchase" }, h("h3", {}, "Purchase"),
    h("dl", { class: "facts" },
      h("dt", {}, "Id"), h("dd", {}, purchase ? foreign(purchase) : "none yet"),
      h("dt", {}, "Answer"), h("dd", {}, last?.response ? `${last.response.status} in ${duration(last.elapsedMs)}` : "none yet"),
      h("dt", {}, "Attempts"), h("dd", {}, String(delivery.attempts.length))),
    last?.response ? bodyView(last.response.body) : null, receipt);
}

const EVENTS = {
  exchange: ["wire", ({ operation }) => operation],
  gate_decision: ["gate", ({ opens, gate }) => [opens ? "The gate opened" : "The gate stayed closed", gate ? [" · ", foreign(gate)] : null]],
  exit: ["exit", ({ lines }) => `Walked out with ${lines === 1 ? "1 line" : `${lines} lines`}`],
  delivery: ["send", ({ outcome, faults }) => `Delivery: ${String(outcome ?? (faults ?? []).join(", ") ?? "copy").replaceAll("_", " ")}`],
  resent: ["repeat", ({ operation }) => `Sent again: ${operation}`],
};

function timeLine(events) {
  return h("section", { class: "stack", dataset: { gap: "small" }, "aria-label": "Time line" }, h("h3", {}, "Time line"),
    h("ol", { class: "time-line" }, events.map(eventView)));
}

function eventView(entry) {
  const [iconName, text] = EVENTS[entry.kind] ?? ["info", () => entry.operation ?? entry.kind];
  const status = entry.request ? entry.response?.status ?? "no answer" : null;
  const level = status === null ? "" : status >= 200 && status < 300 ? "good" : status >= 400 && status < 500 ? "warn" : "bad";
  return h("li", { dataset: { level } }, h("time", { class: "muted small", datetime: entry.at }, clockTime(entry.at)), h("span", { class: "time-mark" }, icon(iconName)),
    h("span", {}, entry.request ? h("a", { href: `/ui/wire?seq=${entry.seq}` }, text(entry)) : text(entry),
      entry.faults?.length && entry.kind !== "delivery" ? h("span", { class: "muted small" }, ` · fault ${entry.faults.join(", ")}`) : null),
    status === null ? null : h("span", { class: "badge", dataset: { kind: level } }, String(status)),
    status === null ? null : h("span", { class: "number small muted" }, duration(entry.elapsedMs)));
}
