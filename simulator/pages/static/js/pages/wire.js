// The wire: a list of exchanges as they happen, with filters in the address, and the chosen exchange.

import { get } from "../api.js";
import { emptyState, fill, foreign, h, icon, keyed, setText } from "../dom.js";
import { listen } from "../events.js";
import { clockTime, duration } from "../time.js";
import { Detail } from "../wire/detail.js";
import { EXCHANGES, OUTCOMES, fits, judge, statusText, summarize, troubleText } from "../wire/summary.js";

const KEPT = 2000;
const SHOWN = 200;
const READ_FIRST = 1000;
const SHOW_EVERY_MS = 150;
const MOST_JUDGED = 200;
const JUDGE_EVERY_MS = 1000;
const byId = (id) => document.getElementById(id);
const form = byId("filters");
const rows = h("ol", { class: "wire-list" });
const operations = new Map();
const detail = new Detail(byId("detail"), operations, choose);
let known = [];
let held = [];
let isPaused = false;
let chosen = null;
let timer = 0;
let isJudging = false;

async function start() {
  restoreFilters();
  const [called, kinds] = await Promise.all([get("/operations"), get("/faults/kinds")]);
  for (const one of called) operations.set(one.name, one);
  detail.meanings = new Map(kinds.map(({ name, meaning }) => [name, meaning]));
  const entries = await get(`/journal?limit=${READ_FIRST}`);
  known = entries.filter(({ request }) => request).map((entry) => summarize(entry, operations));
  byId("list").removeAttribute("aria-busy");
  show();
  if (chosen) choose(chosen);
  else detail.clear();
  listen({ kinds: EXCHANGES, after: entries.at(-1)?.seq ?? 0, onEntries: take, onGap: reread });
}

function take(entries) {
  const newest = (held.at(-1) ?? known.at(-1))?.seq ?? 0; // what was read again may come by the stream too
  const fresh = entries.filter(({ seq }) => seq > newest).map((entry) => summarize(entry, operations));
  if (isPaused) held = [...held, ...fresh].slice(-KEPT);
  else known = [...known, ...fresh].slice(-KEPT);
  if (!timer) timer = window.setTimeout(show, SHOW_EVERY_MS);
}

async function reread() {
  const entries = await get(`/journal?limit=${READ_FIRST}`);
  const found = entries.filter(({ request }) => request).map((entry) => summarize(entry, operations));
  const shown = known.at(-1);
  const place = isPaused && shown ? found.findIndex(({ seq, at }) => seq === shown.seq && at === shown.at) + 1 : 0;
  known = place ? found.slice(0, place) : found;
  held = place ? found.slice(place) : [];
  show();
}

function show() {
  timer = 0;
  offer("operation", known.map((one) => one.operation));
  offer("store", known.map((one) => one.storeId).filter(Boolean));
  const filter = readFilters();
  const found = known.filter((one) => fits(one, filter));
  const waiting = held.length ? ` · ${held.length} new while paused` : "";
  setText(byId("list-state"), `${count(found.length)} of ${known.length}${waiting}`);
  if (!found.length) {
    fill(byId("list"), known.length ? emptyState("filter", "No exchange fits the filter", "Change the filter above, or wait for the next exchange.")
      : emptyState("wire", "No exchange yet", "Scan a code on the floor: the call to the connector appears here.", h("a", { class: "button", href: "/ui/" }, "Open the floor")));
    return;
  }
  if (!rows.isConnected) fill(byId("list"), rows);
  keyed(rows, found.slice(-SHOWN).reverse(), ({ text }) => text, row, (element, one) => {
    element.firstChild.setAttribute("aria-pressed", String(one.seq === chosen));
    element.querySelector(".badge").dataset.kind = one.level;
    setText(element.querySelector(".wire-trouble"), troubleText(one));
  });
  judgeNewest();
}

/** Learn which rules the newest exchanges break, and show their lights again. */
async function judgeNewest() {
  const waiting = known.slice(-READ_FIRST).filter(({ broken }) => broken === null).slice(-MOST_JUDGED);
  if (isJudging || !waiting.length) return;
  isJudging = true;
  const query = new URLSearchParams(waiting.map(({ seq }) => ["seq", String(seq)]));
  const answer = await get(`/journal/broken-rules?${query}`, { quiet: true }).catch(() => null);
  window.setTimeout(() => {
    isJudging = false;
    judgeNewest();
  }, JUDGE_EVERY_MS);
  for (const one of answer ? waiting : []) judge(one, answer.broken[one.seq] ?? []);
  if (!timer) timer = window.setTimeout(show, SHOW_EVERY_MS);
}

function count(found) {
  return found > SHOWN ? `The newest ${SHOWN} of ${found} that fit,` : `${found}`;
}

function row(one) {
  const place = one.gate || one.storeId;
  const trip = one.tripId ? ` · trip ${one.tripId.slice(0, 8)}` : "";
  return h("li", {}, h("button", { class: "wire-row", type: "button", "aria-pressed": "false", on: { click: () => choose(one.seq) } },
    h("span", { class: "badge", dataset: { kind: one.level } }, one.status ?? icon("cross")),
    h("span", { class: "wire-what" }, h("strong", { class: "cut" }, one.operation),
      h("span", { class: "muted small cut" }, one.kind === "resent" ? "sent again · " : "", one.status === null ? h("span", { class: "late" }, statusText(one), place || trip ? " · " : "") : null, foreign(place), foreign(trip)),
      h("span", { class: "wire-trouble late small cut" })),
    one.faults.length ? h("span", { class: "wire-fault", title: `Fault: ${one.faults.join(", ")}` }, icon("fault"), h("span", { class: "visually-hidden" }, `Fault ${one.faults.join(", ")}`)) : null,
    h("span", { class: "number small" }, h("span", { class: one.isLate ? "late" : "" }, duration(one.elapsedMs)), h("br"), h("span", { class: "muted" }, clockTime(one.at)))));
}

/** @param {number|null} seq of the journal; null chooses nothing */
function choose(seq) {
  chosen = seq;
  saveFilters();
  show();
  if (seq === null) {
    detail.clear();
    return;
  }
  detail.show(seq).then(() => {
    if (window.matchMedia("(max-width: 64rem)").matches) byId("detail").scrollIntoView({ block: "start" });
  });
}

function offer(name, values) {
  const select = form.elements[name];
  const wanted = [...new Set([...values, select.dataset.wanted ?? ""])].filter(Boolean).sort();
  const offered = [...select.options].slice(1).map((option) => option.value);
  if (wanted.join("\n") === offered.join("\n")) return;
  const before = select.value || select.dataset.wanted || "";
  fill(select, h("option", { value: "" }, "All"), wanted.map((value) => h("option", { value }, value)));
  select.value = before;
}

function readFilters() {
  const { text, operation, store, outcome, failures } = form.elements;
  return { text: text.value.trim(), operation: operation.value, store: store.value, outcome: outcome.value, failures: failures.checked };
}

function restoreFilters() {
  const query = new URLSearchParams(window.location.search);
  fill(form.elements.outcome, h("option", { value: "" }, "All"), Object.entries(OUTCOMES).map(([value, label]) => h("option", { value }, label)));
  form.elements.text.value = query.get("text") ?? "";
  form.elements.outcome.value = query.get("outcome") ?? "";
  form.elements.failures.checked = query.has("failures");
  for (const name of ["operation", "store"]) form.elements[name].dataset.wanted = query.get(name) ?? "";
  chosen = Number(query.get("seq")) || null;
}

function saveFilters() {
  const { failures, ...texts } = readFilters();
  const query = new URLSearchParams(Object.entries(texts).filter(([, value]) => value));
  if (failures) query.set("failures", "1");
  if (chosen) query.set("seq", String(chosen));
  const search = query.toString();
  window.history.replaceState(null, "", search ? `?${search}` : window.location.pathname);
}

function pause() {
  isPaused = !isPaused;
  if (!isPaused) {
    known = [...known, ...held].slice(-KEPT);
    held = [];
  }
  byId("pause").setAttribute("aria-pressed", String(isPaused));
  fill(byId("pause"), icon(isPaused ? "play" : "stop"), h("span", {}, isPaused ? "Resume" : "Pause"));
  show();
}

form.addEventListener("input", () => {
  for (const name of ["operation", "store"]) form.elements[name].dataset.wanted = form.elements[name].value;
  saveFilters();
  show();
});
form.addEventListener("submit", (event) => event.preventDefault());
byId("pause").addEventListener("click", pause);
start();
