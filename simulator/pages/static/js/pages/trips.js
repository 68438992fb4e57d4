// Trips and carts: who is inside, what is delivered, and the chosen trip as it goes on.

import { get, post } from "../api.js";
import { button, emptyState, fill, foreign, h, keyed, setText } from "../dom.js";
import { listen } from "../events.js";
import { clockTime } from "../time.js";
import { toast } from "../toast.js";
import { TripDetail } from "../trips/detail.js";
import { Money } from "../trips/money.js";
import { Records, STATES } from "../trips/records.js";

const SHOWN = 150;
const READ_FIRST = 1000;
const SHOW_EVERY_MS = 150;
const byId = (id) => document.getElementById(id);
const records = new Records();
const rows = h("ol", { class: "wire-list" });
const tabs = new Map();
let detail = null;
let state = "";
let chosen = "";
let timer = 0;

async function start() {
  const query = new URLSearchParams(window.location.search);
  state = query.get("state") in STATES ? query.get("state") : "";
  const { appUrl } = await get("/samples", { quiet: true }).catch(() => ({ appUrl: "" }));
  detail = new TripDetail(byId("detail"), appUrl);
  makeTabs();
  new Money(byId("money-badge"), byId("money"), choose).read();
  const last = await read();
  const trip = query.get("trip") ?? "";
  if (trip) choose(trip);
  else detail.clear();
  listen({
    kinds: ["gate_decision", "exit", "delivery", "resent", "exchange"],
    after: last,
    onEntries: (entries) => {
      records.take(entries);
      const isDead = entries.some(({ kind, outcome }) => kind === "delivery" && outcome !== "delivered");
      showSoon(entries.some(({ tripId }) => tripId === chosen));
      if (isDead) readDeadLetters();
    },
    onChanges: (changes) => {
      if (changes.some(({ path }) => path.startsWith(`/trips/${chosen}/`))) showSoon(true);
      if (changes.some(({ path }) => path.startsWith("/deliveries"))) readDeadLetters();
    },
    onGap: () => {
      isTripChanged = true;
      return read();
    },
  });
}

async function read() {
  const [entries, inside, dead] = await Promise.all([get(`/journal?limit=${READ_FIRST}`), get("/trips"), get("/deliveries?state=dead_letter")]);
  records.clear();
  records.take(entries);
  records.takeInside(inside.tripIds);
  records.takeDeliveries(dead);
  byId("list").removeAttribute("aria-busy");
  show();
  return entries.at(-1)?.seq ?? 0;
}

async function readDeadLetters() {
  const dead = await get("/deliveries?state=dead_letter", { quiet: true }).catch(() => []);
  for (const one of records.find("dead_letter", "")) one.state = "waiting";
  records.takeDeliveries(dead);
  showSoon(true);
}

function makeTabs() {
  for (const [value, label] of [["", "All"], ...Object.entries(STATES).map(([name, [word]]) => [name, word])]) {
    const count = h("span", { class: "badge" }, "0");
    const tab = button(label, { "aria-pressed": "false", onClick: () => chooseState(value) });
    tab.append(count);
    tabs.set(value, { tab, count });
  }
  fill(byId("states"), [...tabs.values()].map(({ tab }) => tab));
}

function chooseState(value) {
  state = value;
  saveAddress();
  show();
}

let isTripChanged = false;

function showSoon(isChosenChanged) {
  isTripChanged ||= isChosenChanged;
  if (!timer) timer = window.setTimeout(show, SHOW_EVERY_MS);
}

function show() {
  timer = 0;
  const counts = records.counts();
  for (const [value, { tab, count }] of tabs) {
    tab.setAttribute("aria-pressed", String(value === state));
    setText(count, String(value ? counts[value] ?? 0 : records.byTrip.size));
  }
  byId("redrive-all").disabled = !counts.dead_letter;
  showList(records.find(state, byId("search").value.trim()));
  if (isTripChanged && chosen) detail.show(chosen);
  isTripChanged = false;
}

function showList(found) {
  setText(byId("list-state"), found.length > SHOWN ? `The newest ${SHOWN} of ${found.length}` : `${found.length}`);
  if (!found.length) {
    fill(byId("list"), emptyState("cart", "No trip here", "Open a gate on the floor: each shopper who enters begins a trip.", h("a", { class: "button", href: "/ui/" }, "Open the floor")));
    return;
  }
  if (!rows.isConnected) fill(byId("list"), rows);
  keyed(rows, found.slice(0, SHOWN), ({ tripId }) => tripId, row, update);
}

function row(one) {
  return h("li", {}, h("button", { class: "wire-row trip-row", type: "button", on: { click: () => choose(one.tripId) } },
    h("span", { class: "wire-what" }, h("strong", { class: "cut trip-visitor" }), h("span", { class: "muted small cut" }, foreign(`${one.storeId} · trip ${one.tripId.slice(0, 8)}`))),
    h("span", { class: "badge" }), h("span", { class: "number small muted" }, one.at ? clockTime(one.at) : "")));
}

function update(element, one) {
  const [word, kind] = STATES[one.state];
  const badge = element.querySelector(".badge");
  setText(badge, one.state === "waiting" && one.attempts ? `Attempt ${one.attempts} failed` : word);
  badge.dataset.kind = kind;
  setText(element.querySelector(".trip-visitor"), one.visitor || "Unknown visitor");
  element.firstChild.setAttribute("aria-pressed", String(one.tripId === chosen));
}

function choose(tripId) {
  chosen = tripId;
  saveAddress();
  show();
  detail.show(tripId).then(() => {
    if (window.matchMedia("(max-width: 64rem)").matches) byId("detail").scrollIntoView({ block: "start" });
  });
}

function saveAddress() {
  const query = new URLSearchParams(Object.entries({ state, trip: chosen }).filter(([, value]) => value));
  window.history.replaceState(null, "", query.size ? `?${query}` : window.location.pathname);
}

byId("search").addEventListener("input", show);
byId("redrive-all").addEventListener("click", async () => {
  const { tripIds } = await post("/deliveries/redrive");
  toast("info", tripIds.length === 1 ? "The platform sends 1 cart again" : `The platform sends ${tripIds.length} carts again`);
});
start();
