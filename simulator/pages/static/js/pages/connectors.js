// The connectors: stores with their configuration, the test of each connector, onboarding, accounts and users.

import { at, get, showProblem } from "../api.js";
import { showAccess } from "../connectors/access.js";
import { ConnectorPanel, KINDS, statusBadge } from "../connectors/kinds.js";
import { openStoreForm } from "../connectors/store_form.js";
import { button, emptyState, fill, fillIfNew, foreign, h, icon, keyed, oneDirection } from "../dom.js";
import { listen } from "../events.js";
import { needsUser, signInForm } from "../portal_token.js";

const REFRESH_MS = 300;
const CHOSEN = "connectors-store";
const byId = (id) => document.getElementById(id);
const panel = new ConnectorPanel(async (store) => {
  replace(store);
  await showStore(false);
});
let stores = [];
let chosen = window.sessionStorage.getItem(CHOSEN) ?? "";
let refreshTimer = 0;

async function start() {
  byId("connector-panel").append(panel.element);
  try {
    stores = await get("/portal/stores", { quiet: true });
  } catch (error) {
    if (!needsUser(error)) showProblem(error);
    byId("connectors").hidden = true;
    fill(byId("portal-problem"), needsUser(error) ? signInForm() : h("p", { class: "notice", dataset: { kind: "bad" } }, error.message));
    return;
  }
  await Promise.all([showStore(false), showAccess()]);
  byId("connectors").removeAttribute("aria-busy");
}

function replace(store) {
  const place = stores.findIndex((one) => one.storeId === store.storeId);
  if (place < 0) stores.push(store);
  else stores[place] = store;
  choose(store.storeId);
}

function choose(storeId) {
  chosen = storeId;
  window.sessionStorage.setItem(CHOSEN, storeId);
}

async function showStore(keepForm) {
  byId("store-detail").hidden = !stores.length;
  byId("no-stores").hidden = stores.length > 0;
  if (!stores.length) {
    fill(byId("no-stores"), emptyState("plug", "There is no store", "A store has gates and the address of the connector that the platform calls for it.",
      button("Add a store", { iconName: "plus", kind: "primary", onClick: () => openStoreForm(null, saved) })));
    return;
  }
  const store = stores.find((one) => one.storeId === chosen) ?? stores[0];
  choose(store.storeId);
  showList();
  showFacts(store);
  const [tests, onboarding] = await Promise.all([
    get(at`/portal/stores/${store.storeId}/connectivity-tests`, { quiet: true }).catch(() => null),
    get(at`/portal/merchants/${store.retailer}/onboarding`, { quiet: true }).catch(() => null)]);
  if (store.storeId !== chosen) return;
  if (tests) panel.show(store, tests, keepForm);
  if (onboarding) showOnboarding(onboarding);
}

function showList() {
  keyed(byId("store-list"), stores, (store) => store.storeId, (store) => h("li", {},
    h("button", { class: "store-choice", type: "button", on: { click: () => { choose(store.storeId); showStore(false); } } },
      foreign(store.storeId, { class: "cut" }), h("span", { class: "configuration" }), foreign(store.retailer, { class: "cut muted small retailer" }))),
  (row, store) => {
    row.firstElementChild.setAttribute("aria-pressed", String(store.storeId === chosen));
    fill(row.querySelector(".configuration"), statusBadge(store.configuration));
  });
}

function showFacts(store) {
  const shown = [
    ["Retailer", foreign(store.retailer)],
    ["Gates", store.gates.length ? h("ul", { class: "gate-list" }, store.gates.map((gate) => h("li", { class: "badge" }, foreign(gate, { class: "cut" })))) : "none"],
    ["Ways in", [...store.methods, ...(store.loyalty ? ["loyalty card"] : [])].join(", ") || "none"],
    ["Store default", store.storeDefault],
    ["QR pattern", store.qrPattern ? foreign(store.qrPattern, { class: "mono" }) : "every code"],
    ["Fraud and abuse", store.strategy.replaceAll("_", " ")],
    ["Charge calculation", `by the ${store.chargeCalculation === "amazon" ? "platform (Amazon)" : "retailer"}`],
    ["Authorized amount", store.authorizedAmount === null ? "as in the platform's settings" : String(store.authorizedAmount)],
    ["Badge readers", store.badgeChannel === "RADIO" ? "by radio" : "by contact"],
  ];
  fill(byId("store-title"), foreign(store.storeId, { class: "cut" }));
  fill(byId("store-status"), statusBadge(store.configuration));
  fill(byId("store-facts"), shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  byId("edit-store").onclick = () => openStoreForm(store, saved);
}

function showOnboarding({ retailer, complete, steps }) {
  const left = steps.filter((step) => !step.done).length;
  fill(byId("onboarding-state"), h("span", { class: "badge", dataset: { kind: complete ? "good" : "warn" } }, complete ? "Complete" : `${left} of ${steps.length} steps left`));
  fill(byId("onboarding-of"), "Of the merchant ", foreign(retailer), ", with all its stores and accounts.");
  fillIfNew(byId("onboarding"), steps, () => steps.map((step) => h("li", { dataset: { state: step.done ? "done" : step.status === "Failed" ? "failed" : "open" } },
    icon(step.done ? "check" : step.status === "Failed" ? "cross" : "clock"),
    h("div", { class: "row" }, h("span", { class: "step-name" }, step.step), foreign(oneDirection(step.of), { class: "muted small" }), step.done ? null : wayToComplete(step)),
    h("span", { class: "muted small" }, step.status))));
}

/** Make a button or a link to the place of this page or another where the step is completed, or say what to do. */
function wayToComplete(step) {
  const name = step.step;
  for (const { storeId } of stores) {
    const kind = Object.keys(KINDS).find((each) => step.of === `${storeId} ${each}`);
    if (kind) return stepButton(name === "connectivity test" ? "Go to the test" : "Set it up", step, () => showConnector(storeId, kind));
  }
  if (name === "catalog") return h("a", { class: "small", href: "/ui/catalog" }, "Upload a catalog");
  if (name === "store") return stepButton("Add a store", step, () => openStoreForm(null, saved));
  if (name === "AWS account") return stepButton("Allow-list an account", step, () => byId("add-account").click());
  return h("span", { class: "small fix" }, oneDirection(step.fix));
}

function stepButton(label, step, onClick) {
  return button(label, { onClick, "aria-label": `${label}: ${step.step} of ${oneDirection(step.of)}` });
}

async function showConnector(storeId, kind) {
  choose(storeId);
  await showStore(false);
  panel.choose(kind);
  panel.element.scrollIntoView({ block: "start" });
}

async function saved(store) {
  replace(store);
  await Promise.all([showStore(false), showAccess()]);
}

function refreshSoon() {
  refreshTimer ||= window.setTimeout(refresh, REFRESH_MS);
}

async function refresh() {
  refreshTimer = 0;
  if (byId("connectors").hidden) return;
  const read = await get("/portal/stores", { quiet: true }).catch(() => null);
  if (!read) return;
  stores = read;
  await Promise.all([showStore(true), showAccess()]);
}

listen({
  kinds: ["connectivity_test"],
  onEntries: refreshSoon,
  onChanges: (changes) => changes.some(({ path }) => path.startsWith("/portal/")) && refreshSoon(),
  onState: (state) => state === "live" && refreshSoon(),
});
byId("add-store").addEventListener("click", () => openStoreForm(null, saved));
start();
