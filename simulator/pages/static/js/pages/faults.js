// The faults: a switch for each kind, a form for its details, and the armed ones with how often they applied.

import { at, del, get, post } from "../api.js";
import { button, emptyState, fill, foreign, h, keyed, setText } from "../dom.js";
import { listen } from "../events.js";
import { fullTime } from "../time.js";
import { toast } from "../toast.js";

const PLACES = {
  exchange: ["Calls to your connector", "Scans and carts on their way to the connector, and its answers."],
  catalog: ["Calls of the retailer", "Answers of the platform to the retailer's clients."],
  payment: ["Charges", "What the platform decides when the retailer adjusts a charge."],
  ingestion: ["Ingestions", "The processing of an upload."],
  notification: ["Notifications", "SNS messages about finished uploads."],
  intraday: ["Orders in intra-day files", "The rows of an order in the files of a day."],
  intraday_file: ["Intra-day files", "The SNS messages about these files."],
};
const WHERE = {
  operation: ["Operation", "any operation"],
  store: ["Store", "any store"],
  gate: ["Gate", "any gate"],
  trip: ["Trip", "any trip"],
  account: ["Account", "any account"],
};
const UNITS = {
  s: ["seconds", (amount) => `${amount}\u00a0s`],
  days: ["days", (amount) => (amount === 1 ? "1\u00a0day" : `${amount}\u00a0days`)],
  repeats: ["repeats", (amount) => (amount === 1 ? "1\u00a0repeat" : `${amount}\u00a0repeats`)],
  copies: ["copies", (amount) => (amount === 1 ? "1\u00a0copy" : `${amount}\u00a0copies`)],
  status: ["HTTP status", (amount) => `status\u00a0${amount}`],
};
const REFRESH_MS = 400;
const SHOWN_USED = 6;
const byId = (id) => document.getElementById(id);
const dialog = byId("arming");
const form = byId("arming-form");
const switches = new Map();
let kinds = [];
let choices = {};
let chosen = null;
let refreshTimer = 0;

async function start() {
  const [known, operations, stores] = await Promise.all([get("/faults/kinds"), get("/operations"), get("/portal/stores")]);
  kinds = known;
  const calls = operations.filter((one) => one.calledBy === "platform").map((one) => one.name);
  choices = { operation: calls, store: stores.map((one) => one.storeId), gate: stores.flatMap((one) => one.gates) };
  showKinds();
  await refresh();
}

function showKinds() {
  byId("kinds").removeAttribute("aria-busy");
  fill(byId("kinds"), Object.entries(PLACES).map(([place, [title, text]]) =>
    h("section", { class: "stack", "aria-label": title },
      h("div", {}, h("h2", {}, title), h("p", { class: "muted small" }, text)),
      h("ul", { class: "fault-kinds" }, kinds.filter((kind) => kind.place === place).map(kindElement)))));
}

function kindElement(kind) {
  const box = h("input", { type: "checkbox", class: "switch", role: "switch", "aria-label": `Arm ${kind.name} once` });
  box.addEventListener("change", () => (box.checked ? arm({ name: kind.name }) : disarmKind(kind.name)).catch(refresh));
  const element = h("li", { class: "fault-kind" }, box,
    h("div", {}, h("h3", {}, kind.name), h("p", {}, sentence(kind))),
    button("Details", { kind: "quiet", "aria-label": `Arm ${kind.name} with details`, onClick: () => openForm(kind) }));
  switches.set(kind.name, { box, element });
  return element;
}

function sentence(kind) {
  return kind.amount === null ? kind.meaning : `${kind.meaning} By default ${UNITS[kind.unit][1](kind.amount)}.`;
}

/** Write the name of a fault, with its amount and unit. */
function nameOf({ name, amount }) {
  const unit = kinds.find((kind) => kind.name === name)?.unit;
  return unit ? `${name} = ${UNITS[unit][1](amount)}` : name;
}

function openForm(kind) {
  chosen = kind;
  setText(byId("arming-title"), kind.name);
  setText(byId("arming-meaning"), sentence(kind));
  fill(byId("arming-fields"),
    kind.amount === null ? null : field("amount", `Amount (${UNITS[kind.unit][0]})`, { type: "number", min: 0, step: "any", value: kind.amount }),
    field("times", "How many times", { type: "number", min: 1, step: 1, placeholder: "once" }),
    field("rate", "Share of the calls in percent", { type: "number", min: 0, max: 100, step: "any", placeholder: "every call" }),
    field("after", "Spare the first calls", { type: "number", min: 0, step: 1, placeholder: "0" }),
    kind.where.map((name) => field(name, WHERE[name][0], { placeholder: WHERE[name][1], list: choices[name] })));
  dialog.showModal();
}

function field(name, label, { list, ...props }) {
  const id = `fault-${name}`;
  const known = list?.length ? h("datalist", { id: `${id}-list` }, list.map((value) => h("option", { value }))) : null;
  return h("label", { class: "field", for: id }, label, h("input", { id, name, list: known ? known.id : undefined, ...props }), known);
}

function readForm() {
  const data = new FormData(form);
  const number = (name) => (data.get(name) ? Number(data.get(name)) : undefined);
  const where = Object.fromEntries(chosen.where.map((name) => [name, (data.get(name) ?? "").trim()]).filter(([, value]) => value));
  const rate = number("rate");
  return { name: chosen.name, where, amount: number("amount"), times: number("times"), after: number("after"), rate: rate === undefined ? undefined : rate / 100 };
}

async function arm(arming) {
  const fault = await post("/faults", arming);
  toast("info", `${fault.name} is armed`, inWords(fault));
  await refresh();
}

async function disarmKind(name) {
  for (const fault of await get("/faults")) if (fault.name === name) await del(at`/faults/${fault.id}`);
  await refresh();
}

async function refresh() {
  const [armed, used] = await Promise.all([get("/faults", { quiet: true }), get("/faults/used", { quiet: true })]).catch(() => [null, null]);
  if (!armed) return;
  const active = armed.filter((fault) => fault.times !== 0);
  byId("armed").removeAttribute("aria-busy");
  setText(byId("armed-count"), String(active.length));
  byId("disarm-all").disabled = !active.length;
  for (const [name, { box, element }] of switches) {
    box.checked = active.some((fault) => fault.name === name);
    element.dataset.armed = String(box.checked);
  }
  showArmed(active);
  byId("used-card").hidden = !used.length;
  keyed(byId("used"), used.slice(0, SHOWN_USED), (fault) => fault.id, usedRow);
}

/** A fault that is used up, with the exchange that it met last. */
function usedRow(fault) {
  const cell = (label, props, ...children) => h("td", { ...props, dataset: { label } }, ...children);
  return h("tr", {},
    cell("Fault", { class: "mono" }, nameOf(fault)),
    cell("Applied", {}, fault.struck === 1 ? "once" : `${fault.struck} times`),
    cell("Last time", {}, h("time", { datetime: fault.usedAt }, fullTime(fault.usedAt))),
    cell("To", {}, h("span", {}, target(fault))));
}

function shortId(id) {
  return /^[0-9a-f-]{36}$/i.test(id) ? id.slice(0, 8) : id;
}

function target({ usedOn: { trip, operation, ...where }, usedBy }) {
  const places = Object.entries(where).map(([name, value]) => h("span", {}, `, ${WHERE[name][0].toLowerCase()} `, foreign(value)));
  const visit = trip ? [", ", h("a", { href: `/ui/trips?trip=${encodeURIComponent(trip)}` }, "trip ", foreign(shortId(trip), { title: trip }))] : null;
  const event = operation && usedBy && usedBy !== trip ? [", ", h("a", { href: `/ui/wire?text=${encodeURIComponent(usedBy)}` }, "call ", foreign(shortId(usedBy), { title: usedBy }))] : null;
  return [operation ?? "The platform's own work", places, visit, event];
}

function showArmed(armed) {
  if (!armed.length) {
    fill(byId("armed"), emptyState("fault", "No fault is armed", "The platform works as it should. Switch a fault on below: it applies to the next call that it fits."));
    byId("armed").rows = null;
    return;
  }
  if (!byId("armed").rows) {
    const rows = h("tbody");
    const heads = ["Fault", "Applies to", "How often", "Applied", ""].map((text) => h("th", { scope: "col" }, text || h("span", { class: "visually-hidden" }, "Disarm")));
    fill(byId("armed"), h("div", { class: "table-frame" }, h("table", { class: "listed" }, h("thead", {}, h("tr", {}, heads)), rows)));
    byId("armed").rows = rows;
  }
  keyed(byId("armed").rows, armed, ({ id, name, where, amount }) => JSON.stringify([id, name, where, amount]), armedRow, (row, fault) => {
    setText(row.querySelector(".how-often"), inWords(fault));
    setText(row.querySelector(".struck"), String(fault.struck));
  });
}

function armedRow(fault) {
  const where = Object.entries(fault.where);
  const places = where.length ? where.map(([name, value]) => h("span", {}, `${WHERE[name][0].toLowerCase()} `, foreign(value), " ")) : "any call";
  const cell = (label, props, ...children) => h("td", { ...props, dataset: { label } }, ...children);
  return h("tr", {},
    cell("Fault", { class: "mono" }, nameOf(fault)),
    cell("Applies to", {}, h("span", {}, places)),
    cell("How often", { class: "how-often" }), cell("Applied", { class: "struck" }),
    cell("", { class: "number" }, button("Disarm", { kind: "quiet", "aria-label": `Disarm ${fault.name}`, onClick: () => del(at`/faults/${fault.id}`).finally(refresh) })));
}

function inWords({ times, rate, after }) {
  const share = rate < 1 ? `${Math.round(rate * 1000) / 10} % of the calls` : "each call";
  const count = times === null ? share : `${rate < 1 ? `${share}, ` : ""}${times === 1 ? "once" : `${times} times`}`;
  return after ? `${count}, after ${after} calls` : count;
}

function refreshSoon() {
  window.clearTimeout(refreshTimer);
  refreshTimer = window.setTimeout(refresh, REFRESH_MS);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  arm(readForm()).then(() => dialog.close(), () => {});
});
for (const id of ["arming-close", "arming-cancel"]) byId(id).addEventListener("click", () => dialog.close());
byId("disarm-all").addEventListener("click", () => del("/faults").finally(refresh));
listen({ kinds: ["*"], onEntries: refreshSoon, onChanges: refreshSoon, onGap: refresh });
start();
