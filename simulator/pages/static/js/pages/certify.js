// The certification: its cases by API with their verdicts as they change, and the evidence of each case.

import { at, get } from "../api.js";
import { button, fill, foreign, h, icon, keyed, setText } from "../dom.js";
import { RunPage } from "../runs/run_page.js";
import { duration } from "../time.js";

const VERDICTS = {
  fail: ["Failed", "bad", "cross"],
  error: ["Error", "bad", "info"],
  warn: ["Warning", "warn", "info"],
  blocked: ["Blocked", "warn", "lock"],
  waiting: ["Waiting", "", "clock"],
  pass: ["Passed", "good", "check"],
  not_applicable: ["Not applicable", "", "minus"],
};
const ORDER = Object.keys(VERDICTS);
const OPEN = ["fail", "error", "warn", "blocked"];
const byId = (id) => document.getElementById(id);
let cases = new Map();
let evidence = null;
let evidenceOf = "";
let filter = "";

const page = new RunPage({
  kind: "certify",
  showKinds,
  readForm,
  onNews,
  verdictOf,
  titleOf: (run) => (run.only.length ? `Certification of ${run.only.length} ${run.only.length === 1 ? "case" : "cases"}` : "Certification"),
  emptyText: "Start one above. A run of the core tier takes a minute or two.",
});

function showKinds(kinds) {
  fill(byId("run-tiers"), kinds.certify.tiers.map(({ name, about }) =>
    h("label", { class: "choice" }, h("input", { type: "checkbox", name: "tier", value: name, checked: kinds.certify.usual.includes(name) }), h("span", {}, h("strong", {}, name), ` ${about}`))));
  if (kinds.hasProfile) page.tell("good", "The suite uses the keys, stores and items that the profile declares, and leaves out rules that need others. Connector: ", foreign(kinds.connector, { class: "mono" }));
  else page.tell("info", h("p", {}, "Connector: ", foreign(kinds.connector, { class: "mono" }), ". The suite knows only its address, so it leaves out the rules that need test keys or SKUs."),
    h("p", {}, "For a full run, start the platform with a profile: ", h("code", {}, "jwo play --profile jwo.toml"), "."));
}

function readForm() {
  const data = new FormData(byId("start-form"));
  return { tiers: data.getAll("tier"), only: (data.get("only") ?? "").split(/[\s,]+/).filter(Boolean).map((id) => id.toUpperCase()), strict: byId("run-strict").checked };
}

function requestOf({ store, tiers, strict }) {
  return { store, tiers, strict };
}

function onNews(run, events, isFirst) {
  if (isFirst) {
    cases = new Map();
    filter = "";
    fill(byId("case-groups"));
    byId("case-groups").keyedElements = undefined;
  }
  for (const event of events) {
    if (event.event === "selected") for (const one of event.cases) cases.set(one.id, { ...one, verdict: "waiting" });
    if (event.event === "case" && cases.has(event.id)) Object.assign(cases.get(event.id), event);
  }
  const all = [...cases.values()];
  const done = all.filter((one) => one.verdict !== "waiting").length;
  byId("run-bar").max = Math.max(all.length, 1);
  byId("run-bar").value = done;
  setText(byId("run-state"), all.length ? `${done} of ${all.length} cases have a verdict.` : "The suite starts.");
  showFilters(all);
  showGroups(all);
  if (run.state !== "running" && run.files.includes("report.json")) readEvidence(run);
}

function showFilters(all) {
  const counts = Object.fromEntries(ORDER.map((verdict) => [verdict, all.filter((one) => one.verdict === verdict).length]));
  const shown = ["", ...ORDER.filter((verdict) => counts[verdict])];
  byId("run-filters").hidden = !all.length;
  keyed(byId("run-filters"), shown, (verdict) => verdict, (verdict) => {
    const element = button("", { onClick: () => choose(verdict) });
    element.append(h("span", { class: "count" }));
    if (verdict) element.prepend(h("span", { class: "case-cell", dataset: { verdict } }));
    setText(element.querySelector("span:not([class])"), verdict ? VERDICTS[verdict][0] : "All");
    return element;
  }, (element, verdict) => {
    element.setAttribute("aria-pressed", String(filter === verdict));
    setText(element.querySelector(".count"), String(verdict ? counts[verdict] : all.length));
  });
}

function choose(verdict) {
  filter = verdict;
  for (const group of byId("case-groups").children) group.open = Boolean(verdict) || group.dataset.worst === "open";
  const all = [...cases.values()];
  showFilters(all);
  showGroups(all);
}

function showGroups(all) {
  const groups = new Map();
  for (const one of all) groups.set(one.api, [...(groups.get(one.api) ?? []), one]);
  const items = [...groups].map(([api, members]) => ({ api, members: byVerdict(members), shown: byVerdict(members.filter((one) => !filter || one.verdict === filter)) }));
  const visible = items.filter((group) => group.shown.length).sort((one, other) => rank(one.members) - rank(other.members));
  keyed(byId("case-groups"), visible, (group) => group.api, createGroup, updateGroup);
  byId("no-cases").hidden = !all.length || visible.length > 0;
}

const byVerdict = (members) => [...members].sort((one, other) => place(one) - place(other));
const place = (one) => Math.min(ORDER.indexOf(one.verdict), OPEN.length);
const rank = (members) => (members.length ? place(members[0]) : OPEN.length);

function createGroup({ api, members }) {
  const cells = h("span", { class: "case-cells", "aria-hidden": "true" });
  for (const one of cases.values()) if (one.api === api) cells.append(h("span", { class: "case-cell", dataset: { id: one.id, verdict: "waiting" }, title: one.id }));
  const list = h("ul", { class: "case-list" });
  const more = button("", { kind: "quiet", class: "button case-more", onClick: () => {
    element.showsAll = true;
    showGroups([...cases.values()]);
  } });
  const element = h("details", { class: "case-group" },
    h("summary", {}, icon("chevron"), h("span", { class: "case-group-name" }, h("strong", {}, api), h("span", { class: "muted small case-group-count" })), cells), list, more);
  element.list = list;
  element.more = more;
  element.cells = new Map([...cells.children].map((cell) => [cell.dataset.id, cell]));
  if (filter || members.length <= 3) element.open = true;
  return element;
}

function updateGroup(element, { members, shown }) {
  for (const one of members) {
    const cell = element.cells.get(one.id);
    if (cell.dataset.verdict !== one.verdict) cell.dataset.verdict = one.verdict;
  }
  const done = members.filter((one) => one.verdict !== "waiting").length;
  const bad = members.filter((one) => OPEN.includes(one.verdict)).length;
  const progress = done < members.length ? `${done} of ${members.length} cases` : `${members.length} ${members.length === 1 ? "case" : "cases"}`;
  setText(element.querySelector(".case-group-count"), bad ? `${progress}, ${bad} to look at` : progress);
  if (bad && element.dataset.worst !== "open") {
    element.dataset.worst = "open";
    element.open = true;
  }
  const isShort = !filter && bad > 0 && !element.showsAll;
  const listed = isShort ? shown.filter((one) => OPEN.includes(one.verdict)) : shown;
  element.more.hidden = listed.length === shown.length;
  setText(element.more.lastElementChild, `Show the other ${shown.length - listed.length}`);
  keyed(element.list, listed, (one) => one.id, createCase, updateCase);
}

function createCase(one) {
  const body = h("div", { class: "case-body" });
  const element = h("details", { class: "case" },
    h("summary", {}, h("span", { class: "badge case-verdict" }), h("span", { class: "mono case-id" }, one.id), h("span", { class: "case-title" }, one.title), h("span", { class: "muted small case-time" })), body);
  element.addEventListener("toggle", () => element.open && showBody(body, one.id));
  element.body = body;
  const item = h("li", {}, element);
  item.details = element;
  return item;
}

function updateCase(item, one) {
  const element = item.details;
  if (element.dataset.verdict === one.verdict && element.dataset.evidence === evidenceOf) return;
  element.dataset.evidence = evidenceOf;
  element.dataset.verdict = one.verdict;
  const [word, kind] = VERDICTS[one.verdict];
  const badge = element.querySelector(".case-verdict");
  badge.dataset.kind = kind;
  setText(badge, word);
  setText(element.querySelector(".case-time"), one.durationMs === undefined ? "" : duration(one.durationMs));
  if (element.open) showBody(element.body, one.id);
}

function showBody(body, id) {
  const one = cases.get(id);
  const known = evidence?.get(id);
  const fact = (name, text) => (text ? [h("dt", {}, name), h("dd", {}, prose(text))] : []);
  fill(body, h("dl", { class: "facts" },
    fact("Rule", `${one.rule} (${one.level.toUpperCase()})`),
    fact("Expected", one.expected), fact("Got", one.got), fact("Reason", one.reason),
    fact("Usual cause", OPEN.includes(one.verdict) ? known?.hint : ""),),
    (known?.exchanges ?? []).map(exchangeElement),
    known && OPEN.includes(one.verdict) ? h("div", { class: "row" }, button("Run this case again", { iconName: "repeat", "aria-label": `Run ${id} again`, onClick: () => page.begin({ ...requestOf(page.run), only: [id] }) })) : null,
    !known && OPEN.includes(one.verdict) ? h("p", { class: "muted small" }, "The exchange appears when the run has ended.") : null);
}

/** Make the text of a rule, with what is in backticks as code. */
function prose(text) {
  return h("bdi", {}, text.split("`").map((part, number) => (number % 2 ? h("code", {}, part) : part)));
}

function exchangeElement(exchange) {
  const answer = exchange.response;
  return h("details", { class: "exchange" },
    h("summary", {}, h("span", { class: "badge", dataset: { kind: answer ? "" : "bad" } }, answer ? String(answer.status) : "no answer"),
      h("span", {}, `${exchange.operation}, ${duration(exchange.elapsedMs)}`), exchange.about ? h("span", { class: "muted" }, exchange.about) : null),
    h("div", { class: "columns" }, message("Request", `${exchange.request.method} ${exchange.request.url}`, exchange.request), answer ? message("Answer", `Status ${answer.status}`, answer) : h("p", {}, `No answer: ${exchange.failure ?? ""}`)));
}

function message(title, line, { headers, body }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const text = typeof body === "string" ? body : JSON.stringify(body, null, 2);
  return h("section", { class: "stack", dataset: { gap: "small" } }, h("h4", { class: "small" }, title), h("pre", { class: "small message" }, [line, ...lines, "", text ?? ""].join("\n")));
}

async function readEvidence(run) {
  if (evidenceOf === run.id) return;
  const report = await get(at`/runs/${run.id}/files/report.json`, { quiet: true }).catch(() => null);
  if (!report) return;
  evidence = new Map(report.cases.map((one) => [one.id, one]));
  evidenceOf = run.id;
  for (const one of report.cases) if (cases.has(one.id)) Object.assign(cases.get(one.id), { verdict: one.verdict, expected: one.expected, got: one.got, reason: one.reason });
  showFilters([...cases.values()]);
  showGroups([...cases.values()]);
}

function verdictOf({ state, result }) {
  if (state === "running") return { kind: "accent", word: "Running", sentence: "" };
  if (state === "stopped" && !result.verdict) return { kind: "warn", word: "Stopped", sentence: "The run was stopped, so it has no report." };
  const { verdict, counts, partial, judged, mustRules } = result;
  const rules = mustRules ? `${judged} of ${mustRules} MUST rules were judged.` : "";
  const meaning = "This does not mean that Amazon approves the connector.";
  if (verdict === "pass" && partial) return { kind: "warn", word: "Partial", sentence: `Nothing is broken, but the run is not complete: ${rules} The report lists under "Not judged" what to declare in the profile. ${meaning}` };
  if (verdict === "pass") return { kind: "good", word: "Passed", sentence: `The connector meets each rule of the run: ${rules} ${meaning}` };
  if (verdict === "fail") return { kind: "bad", word: "Failed", sentence: `${failures(counts)} ${rules} The cases to look at come first.` };
  return { kind: "bad", word: "No verdict", sentence: "The run could not judge the connector." };
}

function failures(counts) {
  const names = { fail: "failed", error: "without a verdict", warn: "with a warning", blocked: "blocked" };
  const parts = Object.entries(names).filter(([verdict]) => counts[verdict]).map(([verdict, name]) => `${counts[verdict]} ${name}`);
  return parts.length ? `Cases: ${parts.join(", ")}.` : "";
}

page.start();
