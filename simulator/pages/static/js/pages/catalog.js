// The catalog: uploads, the ingestion that is chosen, the history, and the items of a store.

import { get, showProblem } from "../api.js";
import { IngestionPanel, stateBadge } from "../catalog/ingestion.js";
import { ItemSearch } from "../catalog/items.js";
import { Uploader } from "../catalog/upload.js";
import { emptyState, fill, foreign, h, keyed } from "../dom.js";
import { listen } from "../events.js";
import { needsUser, signInForm } from "../portal_token.js";
import { PlatformTime, clockTime } from "../time.js";

const REFRESH_MS = 400;
const main = document.getElementById("catalog");
const time = new PlatformTime();
const history = h("div", { id: "history" });
const historyRows = h("tbody");
const items = new ItemSearch();
const panel = new IngestionPanel(time, () => {
  refreshSoon();
  items.search();
});
let uploader = null;
let refreshTimer = 0;

async function start() {
  let limits;
  try {
    limits = await get("/portal/catalog", { quiet: true });
  } catch (error) {
    if (!needsUser(error)) showProblem(error);
    fill(main, needsUser(error) ? signInForm() : h("p", { class: "notice", dataset: { kind: "bad" } }, error.message));
    main.removeAttribute("aria-busy");
    return;
  }
  if (!limits.available) {
    main.removeAttribute("aria-busy");
    fill(main, h("section", { class: "card" }, emptyState("catalog", "No catalogs here", `${sentence(limits.missing)} To get them, ${limits.fix}.`), h("pre", { class: "exchange" }, "jwo play\njwo platform --ready")));
    return;
  }
  uploader = new Uploader(limits, (id) => {
    panel.show(id).then(refresh);
  });
  await Promise.all([readClock(), refresh(), readStores()]);
  main.removeAttribute("aria-busy");
  fill(main,
    h("div", { class: "catalog-columns" }, uploader.element, panel.element),
    h("section", { class: "card stack", "aria-labelledby": "history-title" }, h("h2", { id: "history-title" }, "History"), history),
    items.element);
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

async function readClock() {
  const clock = await get("/clock", { quiet: true }).catch(() => null);
  if (clock) time.set(clock);
}

async function readStores() {
  const stores = await get("/portal/stores").catch(() => []);
  await items.show(stores);
}

async function refresh() {
  refreshTimer = 0;
  if (!uploader) return;
  const [merchants, ingestions] = await Promise.all([
    get("/portal/merchants", { quiet: true }).catch(() => null),
    get("/portal/ingestions?limit=50", { quiet: true }).catch(() => null)]);
  if (merchants) uploader.show(merchants.flatMap((one) => one.accounts.map((accountId) => ({ accountId, retailer: one.retailer }))));
  if (ingestions) showHistory(ingestions);
}

function showHistory(ingestions) {
  if (!ingestions.length) {
    fill(history, emptyState("upload", "Nothing was uploaded yet", "Uploads in the portal and calls of the catalog API appear here."));
    return;
  }
  if (!history.contains(historyRows)) {
    const heads = ["Time", "Account", "What", "State", "Rows", "Rejected", ""].map((text) => h("th", { scope: "col", class: ["Rows", "Rejected"].includes(text) ? "number" : undefined }, text || h("span", { class: "visually-hidden" }, "Show")));
    fill(history, h("div", { class: "table-frame scroll-table", tabindex: 0, role: "region", "aria-label": "History of ingestions" }, h("table", { class: "listed" }, h("thead", {}, h("tr", {}, heads)), historyRows)));
  }
  keyed(historyRows, ingestions, (one) => one.ingestionId, historyRow, (row, one) => {
    row.setAttribute("aria-current", String(one.ingestionId === panel.id));
    fill(row.querySelector(".state"), stateBadge(one.processingStatus));
    fill(row.querySelector(".rejected"), one.rejected ?? "–");
  });
  if (ingestions.some((one) => ["INQUEUE", "INPROGRESS"].includes(one.processingStatus))) refreshSoon();
}

function historyRow(one) {
  const cell = (label, props, ...children) => h("td", { ...props, dataset: { label } }, h("span", {}, children));
  const show = () => {
    panel.show(one.ingestionId).then(refresh);
    panel.element.scrollIntoView({ block: "nearest" });
  };
  return h("tr", {},
    cell("Time", {}, one.acceptedAt ? clockTime(one.acceptedAt) : "–"),
    cell("Account", {}, foreign(one.accountId, { class: "mono" }), " ", foreign(one.retailer, { class: "muted small" })),
    cell("What", {}, `${one.action === "archive" ? "archive" : "upload"}, ${one.source === "portal" ? "portal" : "API"}`),
    h("td", { dataset: { label: "State" } }, h("span", { class: "state" })),
    cell("Rows", { class: "number" }, String(one.rows)),
    h("td", { class: "number", dataset: { label: "Rejected" } }, h("span", { class: "rejected" })),
    h("td", { class: "number", dataset: { label: "" } }, h("button", { class: "button", type: "button", dataset: { kind: "quiet" }, "aria-label": `Show the ingestion ${one.ingestionId}`, on: { click: show } }, "Show")));
}

function refreshSoon() {
  refreshTimer ||= window.setTimeout(refresh, REFRESH_MS);
}

listen({
  kinds: ["portal_upload", "retailer_call"],
  onEntries: refreshSoon,
  onChanges: (changes) => {
    if (changes.some(({ path }) => path === "/clock")) readClock();
    if (changes.some(({ path }) => path.startsWith("/portal/"))) refreshSoon();
  },
  onState: (state) => {
    if (state !== "live") return;
    readClock();
    refreshSoon();
  },
});
start();
