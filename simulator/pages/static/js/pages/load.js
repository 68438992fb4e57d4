// The load test: its settings, the latency of each second against the limit, and the verdict.

import { fill, foreign, h, keyed, setText } from "../dom.js";
import { drawLatency, drawRates, LATENCY_SERIES, RATE_SERIES } from "../runs/charts.js";
import { RunPage } from "../runs/run_page.js";
import { duration } from "../time.js";

const byId = (id) => document.getElementById(id);
let seconds = [];
let budgetMs = 2000;
let sizeTimer = 0;

const page = new RunPage({
  kind: "load",
  showKinds,
  readForm,
  onNews,
  verdictOf,
  titleOf: (run) => `${inWords(run.scenario)}, ${run.rate} per second for ${run.durationS} s`,
  emptyText: "Start one above. While it runs, the chart shows each second against the limit of an answer.",
});

const inWords = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

function showKinds({ load, connector, hasProfile }) {
  const chosen = byId("run-scenario").value;
  fill(byId("run-scenario"), load.scenarios.map(({ name }) => h("option", { value: name }, inWords(name))));
  byId("run-scenario").value = chosen || "steady_store";
  byId("run-rate").max = load.mostRate;
  byId("run-duration").max = load.longestS;
  showScenario();
  if (load.problem) page.tell("warn", load.problem);
  else page.tell("info", h("p", {}, "Connector: ", foreign(connector, { class: "mono" }), ". The requests go to it directly, and not through the gates."),
    hasProfile ? null : h("p", {}, "The load test knows no test keys of this connector, so it sends Amazon's sample keys. For real ones, start the platform with: ", h("code", {}, "jwo play --profile jwo.toml"), "."));
}

function showScenario() {
  const scenario = page.kinds.load?.scenarios.find(({ name }) => name === byId("run-scenario").value);
  setText(byId("scenario-about"), scenario?.about ?? "");
}

function readForm() {
  return { scenario: byId("run-scenario").value, rate: Number(byId("run-rate").value), durationS: Number(byId("run-duration").value) };
}

function onNews(run, events, isFirst) {
  if (isFirst) seconds = [];
  for (const event of events) {
    if (event.event === "started") budgetMs = event.budgetMs;
    if (event.event === "second") seconds.push({ ...event, ...differences(event, seconds.at(-1)) });
  }
  byId("run-bar").max = run.durationS;
  byId("run-bar").value = Math.min(seconds.length, run.durationS);
  setText(byId("run-state"), progressText(run));
  showFigures(run);
  draw(run);
  showTable();
}

function differences(now, before) {
  const since = (name) => now[name] - (before?.[name] ?? 0);
  return { sent: since("started"), newLate: since("late"), newFailed: since("failed"), measured: since("answered") };
}

function progressText(run) {
  if (!seconds.length) return "The generator prepares the requests.";
  const left = Math.max(0, run.durationS - seconds.length);
  return left ? `${seconds.length} of ${run.durationS} s.` : "All requests are sent. The generator waits for the last answers.";
}

function showFigures(run) {
  const last = seconds.at(-1);
  const counts = run.result.counts;
  const of = run.result.latencyMs;
  const figures = [
    ["Requests", counts?.started ?? last?.started ?? 0, ""],
    ["Late answers", counts?.late ?? last?.late ?? 0, "bad"],
    ["Failed answers", counts ? counts.unanswered + counts.findings : last?.failed ?? 0, "bad"],
    ["Not sent in time", counts?.missed ?? last?.missed ?? 0, "warn"],
    [of ? "p50" : "p50, last second", duration(of ? of.p50 : last?.p50Ms) || "–", ""],
    [of ? "Longest" : "Longest, last second", duration(of ? of.max : last?.maxMs) || "–", ""],
  ];
  keyed(byId("run-figures"), figures, ([name]) => name, ([name]) => h("div", {}, h("dt", {}, name), h("dd", {})), (element, [, value, kind]) => {
    element.dataset.kind = value ? kind : "";
    setText(element.querySelector("dd"), String(value));
  });
}

function draw(run = page.run) {
  const active = seconds.findLastIndex((one) => one.sent || one.maxMs !== null) + 1;
  const lastsS = Math.max(run?.durationS ?? 0, active);
  drawLatency(byId("latency-chart"), seconds, lastsS, budgetMs);
  drawRates(byId("rate-chart"), seconds, lastsS);
}

function showTable() {
  if (!byId("run-table-box").open) return;
  const heads = ["Second", "Sent", "Late", "Failed", "p50", "p95", "p99", "Longest"];
  fill(byId("run-table"), h("table", {}, h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col", class: "number" }, name)))),
    h("tbody", {}, seconds.map((one) => h("tr", {}, [one.atS, one.sent, one.newLate, one.newFailed, ...[...LATENCY_SERIES].reverse().map(({ of }) => duration(of(one)) || "–")].map((text) => h("td", { class: "number" }, String(text))))))));
}

function verdictOf({ state, result }) {
  if (state === "running") return { kind: "accent", word: "Running", sentence: "" };
  if (state === "stopped" && !result.verdict) return { kind: "warn", word: "Stopped", sentence: "The run was stopped, so it has no report." };
  const reasons = h("ul", { class: "plain" }, (result.reasons ?? []).map((reason) => h("li", {}, h("bdi", {}, reason))));
  if (result.verdict === "pass") return { kind: "good", word: "Passed", sentence: reasons };
  if (result.verdict === "fail") return { kind: "bad", word: "Failed", sentence: reasons };
  return { kind: "warn", word: "No verdict", sentence: reasons };
}

function showLegends() {
  for (const [id, series] of [["latency-legend", LATENCY_SERIES], ["rate-legend", RATE_SERIES]]) {
    fill(byId(id), series.map(({ name, label }) => h("span", {}, h("span", { class: "chart-key", dataset: { series: name } }), label)));
  }
}

byId("run-scenario").addEventListener("change", showScenario);
byId("run-table-box").addEventListener("toggle", showTable);
window.addEventListener("resize", () => {
  window.clearTimeout(sizeTimer);
  sizeTimer = window.setTimeout(draw, 150);
});
showLegends();
page.start();
