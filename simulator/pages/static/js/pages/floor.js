// The store floor: gates live, the chosen gate with all ways to scan, the shoppers inside, and the shelves.

import { get, post, put, at } from "../api.js";
import { button, emptyState, fill, foreign, h, setText } from "../dom.js";
import { listen } from "../events.js";
import { GatePanel } from "../floor/gate_panel.js";
import { Shopping } from "../floor/shopping.js";
import { Floor } from "../floor/state.js";
import { DecisionLog, Tiles } from "../floor/tiles.js";
import { Ways } from "../floor/ways.js";
import { toast } from "../toast.js";

const AT_ONCE = 8;
const LOCK_EVERY_MS = 250;
const READ_AFTER_MS = 150;
const VISIT_EVERY_S = 6;
const main = document.getElementById("floor");
const floor = new Floor();
let chosenGate = "";
let chosenStore = "";
let readTimer = 0;

const panel = new GatePanel();
const ways = new Ways(present, () => chosenGate, (...content) => panel.note(...content));
const tiles = new Tiles(choose);
const log = new DecisionLog(choose);
const shopping = new Shopping(floor);
const storeChoice = h("select", { id: "store-choice", on: { change: (event) => chooseStore(event.target.value) } });
const storeFacts = h("p", { class: "muted small" });
const atOnce = button("Eight gates at once", { iconName: "people", onClick: scanAtOnce, title: "A shopper scans at each of the first eight gates at the same moment." });
const visits = h("input", { type: "checkbox", class: "switch", role: "switch", id: "visits", on: { change: changeVisits } });

/** Show something at the chosen gate, with the stop-watch running until the gate has decided. */
async function present(send, what) {
  const gate = chosenGate;
  panel.wait(what);
  try {
    const decision = await send();
    if (decision.opens && decision.shoppingTripId) {
      floor.inside.set(decision.shoppingTripId, { ...decision, tripId: decision.shoppingTripId });
      shopping.showInside();
      await shopping.choose(decision.shoppingTripId);
    }
    const state = floor.gates.get(decision.gate);
    if (state && decision.light) {
      Object.assign(state, { light: decision.light, lock: decision.opens ? "unlocked" : "locked", lastDecision: decision });
      if (decision.opens) floor.unlocked.add(decision.gate);
    }
    return decision;
  } catch {
    return null; // the call has shown its problem
  } finally {
    panel.stop();
    showGate(gate);
  }
}

function choose(gate) {
  const store = floor.storeOf(gate);
  if (!store) return;
  const before = chosenGate;
  chosenGate = gate;
  panel.stop();
  panel.note();
  if (store.storeId !== chosenStore) chooseStore(store.storeId, gate);
  showGate(before);
  showGate(gate);
}

function showGate(name) {
  const gate = floor.gates.get(name);
  if (!gate) return;
  tiles.update(gate, chosenGate);
  if (name === chosenGate) panel.show(gate, floor.answerWithinS);
}

function chooseStore(storeId, gate = "") {
  const store = floor.stores.find((one) => one.storeId === storeId) ?? floor.stores[0];
  chosenStore = store.storeId;
  storeChoice.value = chosenStore;
  chosenGate = gate || store.gates[0]?.gate || "";
  const wantsConnector = store.hasConnector ? "" : " It has no connector yet: save one on the page Connectors.";
  fill(storeFacts, `Store default: ${store.storeDefault}. ${store.gates.length} gates.${wantsConnector}`);
  tiles.show(store.gates.map((one) => floor.gates.get(one.gate)), chosenGate);
  const count = Math.min(AT_ONCE, store.gates.length);
  setText(atOnce.lastChild, `${count === AT_ONCE ? "Eight" : count} gates at once`);
  atOnce.disabled = count < 2;
  showGate(chosenGate);
  shopping.showStore(chosenStore);
}

function build() {
  fill(storeChoice, floor.stores.map((store) => h("option", { value: store.storeId }, store.storeId)));
  document.getElementById("page-actions").replaceChildren(
    h("label", { class: "choice", for: "visits" }, visits, "Visitors come by themselves"),
    atOnce,
    ...(floor.stores.length > 1 ? [h("label", { class: "row" }, h("span", { class: "visually-hidden" }, "Store"), storeChoice)] : []));
  fill(main, h("div", { class: "floor" },
    h("div", { class: "floor-gate" }, panel.element, ways.element),
    h("div", { class: "floor-rest" },
      h("section", { class: "card stack" }, h("div", { class: "card-header" }, h("h2", {}, "Gates of ", foreign(floor.stores.length === 1 ? floor.stores[0].storeId : "the store")), storeFacts), tiles.element),
      h("div", { class: "floor-columns" }, shopping.inside, h("section", { class: "card stack" }, h("h2", {}, "At the gates"), log.element)),
      shopping.shelves)));
}

async function read() {
  const last = await floor.read();
  main.removeAttribute("aria-busy");
  if (!floor.stores.some((store) => store.gates.length)) {
    fill(main, h("section", { class: "card" }, emptyState("gate", "No gate yet", "Add a store with gates on the page Connectors, or stop this platform and start jwo play, which brings a store, shoppers and goods.", h("a", { class: "button", href: "/ui/connectors" }, "Open the connectors"))));
    return last;
  }
  if (!main.querySelector(".floor")) build();
  fill(storeChoice, floor.stores.map((store) => h("option", { value: store.storeId }, store.storeId)));
  const isThere = floor.gates.has(chosenGate);
  chooseStore(isThere ? chosenStore : floor.stores.find((store) => store.gates.length).storeId, isThere ? chosenGate : "");
  shopping.showInside();
  log.show(floor.log);
  return last;
}

function readSoon() {
  window.clearTimeout(readTimer);
  readTimer = window.setTimeout(read, READ_AFTER_MS);
}

async function scanAtOnce() {
  const sample = ways.samples?.find((one) => one.way === "scans");
  const gates = floor.stores.find((one) => one.storeId === chosenStore).gates.slice(0, AT_ONCE).map((one) => one.gate);
  if (!sample) return;
  const codes = await Promise.all(gates.map(() => post(at`/samples/${sample.kind}`)));
  const started = performance.now();
  const decisions = await post("/scans", { scans: gates.map((gate, n) => ({ gate, ...codes[n] })) });
  const opened = decisions.filter((one) => one.opens).length;
  const slowest = Math.max(...decisions.map((one) => one.elapsedMs ?? 0));
  toast(opened === gates.length ? "good" : "info", `${opened} of ${gates.length} gates opened`, `The slowest answer took ${slowest} ms, all together ${Math.round(performance.now() - started)} ms.`);
}

async function changeVisits() {
  const shown = await put("/visits", { everyS: visits.checked ? VISIT_EVERY_S : null }).catch(() => null);
  if (shown) visits.checked = shown.everyS !== null;
}

async function start() {
  ways.read();
  get("/clock").then((clock) => floor.time.set(clock));
  get("/visits").then((shown) => { visits.checked = shown.everyS !== null; });
  const last = await read();
  listen({
    kinds: ["gate_decision", "exit", "notification"],
    after: last,
    onEntries: (entries) => {
      const changed = floor.take(entries);
      for (const name of changed) showGate(name);
      log.show(floor.log);
      shopping.showInside();
      if (entries.some((entry) => entry.kind === "notification")) shopping.readShelf(); // a catalog was uploaded
    },
    onChanges: (changes) => {
      if (changes.some(({ path }) => path.startsWith("/portal/stores"))) readSoon();
      if (changes.some(({ path }) => path === "/clock")) get("/clock").then((clock) => floor.time.set(clock));
      if (shopping.tripId && changes.some(({ path }) => path.startsWith(`/trips/${shopping.tripId}/`))) shopping.readTrip();
    },
    onGap: read,
  });
  window.setInterval(() => {
    for (const name of floor.lockAgain()) showGate(name);
  }, LOCK_EVERY_MS);
}

start();
