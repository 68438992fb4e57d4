// What the pages of certifications and of load tests share: the form, the actions of a run, and the list of runs.

import { at, del, get, post } from "../api.js";
import { button, emptyState, fill, foreign, h, icon, keyed, setText } from "../dom.js";
import { listen } from "../events.js";
import { clockTime } from "../time.js";
import { toast } from "../toast.js";
import { Follower } from "./follow.js";

const SAVED = { "report.json": "JSON", "load.json": "JSON", "junit.xml": "JUnit", "badge.svg": "Badge", "attestation.json": "Certificate" };
const byId = (id) => document.getElementById(id);

/** The frame of one kind of runs. Members of `parts`: `kind`, `showKinds`, `readForm`, `onNews`, `verdictOf`, `titleOf`, `emptyText`. */
export class RunPage {
  constructor(parts) {
    this.parts = parts;
    this.kinds = {};
    this.run = null;
    this.follower = new Follower((run, events, isFirst) => this.show(run, events, isFirst));
  }

  async start() {
    byId("start-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.begin();
    });
    byId("run-store").addEventListener("change", () => this.readKinds());
    listen({
      onChanges: (changes) => changes.some(({ path }) => path.startsWith("/runs/")) && this.readRuns(),
      onGap: () => this.readAgain(),
    });
    const { stores } = await get("/stores");
    fill(byId("run-store"), stores.map(({ storeId }) => h("option", { value: storeId, dir: "auto" }, storeId)));
    const runs = await this.readRuns();
    if (runs.length) this.follower.follow(runs[0].id);
    if (stores.length) await this.readKinds();
    else this.tell("warn", "There is no store yet. Set one up on the page of the connectors, or start the platform with: jwo play");
  }

  async readKinds() {
    this.kinds = await get(`/runs/kinds?${new URLSearchParams({ store: byId("run-store").value })}`);
    if (!this.kinds.certify) {
      this.tell("warn", "This platform cannot start runs. Start it with: jwo play, or: jwo platform");
      return;
    }
    if (!this.kinds.connector) {
      this.tell("warn", "This store has no connector. Set up its connector first.");
      return;
    }
    this.parts.showKinds(this.kinds, this);
    this.allowStart();
  }

  /** Show a notice below the form, instead of an earlier one. */
  tell(kind, ...children) {
    fill(byId("run-about"), h("div", { class: "notice small", dataset: { kind } }, h("div", {}, ...children)));
  }

  allowStart() {
    const isRunning = this.run?.state === "running";
    const may = Boolean(this.kinds.connector) && !(this.parts.kind === "load" && this.kinds.load.problem);
    byId("start-run").disabled = isRunning || !may;
  }

  /** Start a run, by default the one of the form. */
  async begin(chosen = { store: byId("run-store").value, ...this.parts.readForm() }) {
    const request = { kind: this.parts.kind, ...chosen };
    byId("start-run").disabled = true;
    try {
      const run = await post("/runs", request);
      this.follower.follow(run.id);
      byId("run").scrollIntoView({ block: "start" });
    } catch {
      this.allowStart();
    }
  }

  show(run, events, isFirst) {
    const hasEnded = this.run?.id === run.id && this.run.state === "running" && run.state !== "running";
    this.run = run;
    byId("run").hidden = false;
    setText(byId("run-title"), `${this.parts.titleOf(run)} of ${run.store}`);
    byId("run-progress").hidden = run.state !== "running";
    this.parts.onNews(run, events, isFirst);
    this.showVerdict(run);
    this.showActions(run);
    this.allowStart();
    if (hasEnded) toast(this.parts.verdictOf(run).kind === "good" ? "good" : "info", "The run has ended", this.parts.verdictOf(run).word);
  }

  showVerdict(run) {
    if (run.state === "running") {
      fill(byId("run-verdict"));
      return;
    }
    const { kind, word, sentence } = this.parts.verdictOf(run);
    const names = { good: "check", bad: "cross" };
    const text = run.problem ? h("pre", { class: "small" }, run.problem) : sentence;
    fill(byId("run-verdict"), h("div", { class: "notice run-verdict", dataset: { kind } },
      icon(names[kind] ?? "info"), h("div", {}, h("strong", {}, word), h("div", {}, text))));
  }

  showActions(run) {
    const path = (name) => at`/runs/${run.id}/files/${name}`;
    if (run.state === "running") {
      if (byId("run-actions").dataset.of !== run.id) fill(byId("run-actions"), button("Stop", { iconName: "stop", kind: "danger", onClick: () => del(at`/runs/${run.id}`) }));
      byId("run-actions").dataset.of = run.id;
      return;
    }
    byId("run-actions").dataset.of = "";
    const page = run.files.find((name) => name.endsWith(".html"));
    fill(byId("run-actions"),
      page ? h("a", { class: "button", dataset: { kind: "primary" }, href: path(page), target: "_blank" }, icon("receipt"), h("span", {}, "Open the report")) : null,
      page ? button("Print", { iconName: "print", onClick: () => print(path(page)) }) : null,
      run.files.filter((name) => name in SAVED).map((name) => h("a", { class: "button", href: path(name), download: `${run.id}-${name}` }, icon("download"), h("span", {}, SAVED[name]))));
  }

  async readRuns() {
    const runs = (await get("/runs", { quiet: true }).catch(() => [])).filter((run) => run.kind === this.parts.kind);
    byId("earlier").removeAttribute("aria-busy");
    if (!runs.length) {
      byId("earlier").rows = null;
      fill(byId("earlier"), emptyState(this.parts.kind, "No run yet", this.parts.emptyText));
      return runs;
    }
    if (!byId("earlier").rows) {
      const rows = h("tbody");
      const heads = ["Started", "Run", "Store", "Verdict", ""].map((text) => h("th", { scope: "col" }, text || h("span", { class: "visually-hidden" }, "Actions")));
      fill(byId("earlier"), h("div", { class: "table-frame" }, h("table", { class: "listed" }, h("thead", {}, h("tr", {}, heads)), rows)));
      byId("earlier").rows = rows;
    }
    keyed(byId("earlier").rows, runs, (run) => `${run.id} ${run.startedAt} ${run.state}`, (run) => this.row(run));
    return runs;
  }

  /** Read the runs again. A platform that has started again numbers its runs from one, so an id can be another run's. */
  async readAgain() {
    const runs = await this.readRuns();
    if (runs.some(({ id, startedAt }) => id === this.run?.id && startedAt === this.run.startedAt)) return;
    this.run = null;
    byId("run").hidden = true;
    this.follower.follow(runs[0]?.id ?? "");
  }

  row(run) {
    const { kind, word } = this.parts.verdictOf(run);
    const cell = (label, ...children) => h("td", { dataset: { label } }, ...children);
    return h("tr", {},
      cell("Started", h("time", { datetime: run.startedAt }, `${clockTime(run.startedAt)} UTC`)),
      cell("Run", this.parts.titleOf(run)),
      cell("Store", foreign(run.store)),
      cell("Verdict", h("span", { class: "badge", dataset: { kind } }, word)),
      cell("", h("div", { class: "row run-row-actions" },
        button("Show", { kind: "quiet", "aria-label": `Show ${run.id}`, onClick: () => this.choose(run) }),
        run.state === "running" ? null : button("Delete", { kind: "quiet", "aria-label": `Delete ${run.id}`, onClick: () => this.forget(run) }))));
  }

  choose(run) {
    this.follower.follow(run.id);
    byId("run").scrollIntoView({ block: "start" });
  }

  async forget(run) {
    await del(at`/runs/${run.id}`);
    if (this.run?.id === run.id) {
      this.run = null;
      this.follower.follow("");
      byId("run").hidden = true;
    }
    await this.readRuns();
  }
}

function print(path) {
  const opened = window.open(path, "_blank");
  if (opened) opened.addEventListener("load", () => opened.print());
  else toast("bad", "The browser blocked the report's window", "allow windows of this page, or open the report and print it");
}
