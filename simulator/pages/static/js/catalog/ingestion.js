// One ingestion: its state, its counts, the rejected rows, and the report's link with the time that it still lives.

import { at, get } from "../api.js";
import { button, emptyState, fill, foreign, h, setText } from "../dom.js";
import { toast } from "../toast.js";
import { fullTime } from "../time.js";

const POLL_MS = 400;
const MOST_ROWS = 200;
const STAGES = { INQUEUE: "Waiting", INPROGRESS: "In progress", DONE: "Done" };
const ENDS = {
  FATAL: ["Failed", "The platform failed in this ingestion. There is no report; upload the file again."],
  CANCELLED: ["Cancelled", "A fault cancelled this ingestion. There is no report; upload the file again."],
};
const isRunning = (status) => status === "INQUEUE" || status === "INPROGRESS";

/** @param {string} status @returns {HTMLElement} the badge of a state */
export function stateBadge(status) {
  const kind = { DONE: "good", FATAL: "bad", CANCELLED: "warn" }[status] ?? "accent";
  return h("span", { class: "badge", dataset: { kind } }, STAGES[status] ?? ENDS[status][0]);
}

export class IngestionPanel {
  /** @param {import("../time.js").PlatformTime} time @param {() => any} ended */
  constructor(time, ended) {
    this.time = time;
    this.ended = ended;
    this.id = "";
    this.shown = null;
    this.timer = 0;
    this.state = h("div", { class: "stack", role: "status" });
    this.link = h("div", { class: "stack", "data-gap": "small" });
    this.left = h("span", { role: "timer", id: "link-left" });
    this.rejected = h("div", { class: "stack", "data-gap": "small", id: "rejected" });
    this.element = h("section", { class: "card stack", "aria-labelledby": "ingestion-title", id: "ingestion" }, h("h2", { id: "ingestion-title" }, "Ingestion"), this.state, this.link, this.rejected);
    fill(this.state, emptyState("catalog", "No ingestion is chosen", "Upload a file, or choose one from the history. The states, the counts and the rejected rows appear here."));
    window.setInterval(() => this._tick(), 1000);
  }

  /** Show an ingestion, and follow it until it has ended. */
  async show(id) {
    const isNew = id !== this.id;
    this.id = id;
    window.clearTimeout(this.timer);
    const found = await get(at`/portal/ingestions/${id}`, { quiet: !isNew }).catch(() => null);
    if (this.id !== id) return;
    const wasRunning = !isNew && this.shown && isRunning(this.shown.processingStatus);
    if (found) this._fill(found);
    if (!found || isRunning(found.processingStatus)) this.timer = window.setTimeout(() => this.show(id), POLL_MS);
    else if (isNew || wasRunning) await this._end(found);
  }

  _fill(found) {
    this.shown = found;
    const { processingStatus: status, rows, accepted, rejected } = found;
    const count = (name, value, kind) => h("div", { dataset: kind ? { kind } : {} }, h("dt", {}, name), h("dd", {}, value === null ? "–" : String(value)));
    fill(this.state,
      h("p", { class: "small" }, foreign(found.ingestionId, { class: "mono" })),
      h("p", { class: "muted small" }, `${found.action === "archive" ? "Archive call" : "Upload"} ${found.source === "portal" ? "in the portal" : "by the API"} as account `, foreign(found.accountId), found.acceptedAt ? `, ${fullTime(found.acceptedAt)}` : ""),
      h("ol", { class: "stages", "aria-label": "States" }, stages(status)),
      ENDS[status] ? h("p", { class: "notice", dataset: { kind: "bad" } }, ENDS[status][1]) : null,
      h("dl", { class: "counts" }, count("Rows", rows), count("Accepted", accepted), count("Rejected", rejected, rejected ? "bad" : "")));
    if (!found.reportDownloadLink) fill(this.link);
    if (isRunning(status)) fill(this.rejected);
  }

  async _end(found) {
    this._showLink(found);
    this.ended();
    if (!found.reportDownloadLink) return fill(this.rejected);
    const report = await get(ownPath(found.reportDownloadLink)).catch(() => null);
    if (report && this.id === found.ingestionId) this._showRejected(report.items.filter((row) => row.status === "REJECTED"));
  }

  _showLink({ reportDownloadLink: link, linkEndsAt }) {
    if (!link) return fill(this.link);
    this.endsAt = Date.parse(linkEndsAt);
    const open = h("a", { class: "button", href: ownPath(link), target: "_blank", rel: "noopener", id: "report-link" }, "Open the report");
    const copy = button("Copy the link", { iconName: "copy", onClick: () => navigator.clipboard.writeText(link).then(() => toast("good", "The link is copied"), () => toast("bad", "The browser does not allow copying", link)) });
    const renew = button("Make a new link", { iconName: "repeat", onClick: () => this._renew() });
    fill(this.link, h("div", { class: "row" }, open, copy, renew), h("p", { class: "muted small" }, this.left, ` The presigned link ends at ${fullTime(linkEndsAt)}, by the platform's clock.`));
    this._tick();
  }

  async _renew() {
    const found = await get(at`/portal/ingestions/${this.id}`).catch(() => null);
    if (found) this._showLink(found);
  }

  _tick() {
    if (!this.left.isConnected) return;
    const left = Math.floor((this.endsAt - this.time.now().getTime()) / 1000);
    const two = (value) => String(value).padStart(2, "0");
    setText(this.left, left >= 0 ? `Valid for ${two(Math.floor(left / 60))}:${two(left % 60)}.` : "The link has expired. Make a new one.");
    this.left.dataset.expired = String(left < 0);
  }

  _showRejected(rows) {
    if (!rows.length) return fill(this.rejected, h("p", { class: "notice", dataset: { kind: "good" } }, "Every row was accepted."));
    const cell = (label, ...children) => h("td", { dataset: { label } }, h("span", {}, children));
    const heads = ["SKU", "Store", "Why"].map((text) => h("th", { scope: "col" }, text));
    fill(this.rejected, h("h3", {}, "Rejected rows"),
      rows.length > MOST_ROWS ? h("p", { class: "muted small" }, `The first ${MOST_ROWS} of ${rows.length}; the report has all.`) : null,
      h("div", { class: "table-frame scroll-table", tabindex: 0, role: "region", "aria-label": "Rejected rows" }, h("table", { class: "listed" }, h("thead", {}, h("tr", {}, heads)),
        h("tbody", {}, rows.slice(0, MOST_ROWS).map((row) => h("tr", {}, cell("SKU", foreign(row.item_sku, { class: "mono" })), cell("Store", foreign(row.store_id || "all")),
          cell("Why", row.errors.map((error) => h("div", {}, h("span", { class: "badge", dataset: { kind: "bad" } }, error.code), " ", foreign(error.message), " ", foreign(error.field, { class: "muted small mono" }))))))))));
  }
}

/** Return the path of a link at this page's own origin: the platform serves its links for every host. */
function ownPath(link) {
  const { pathname, search } = new URL(link);
  return pathname + search;
}

function stages(status) {
  const names = Object.keys(STAGES);
  const last = ENDS[status] ? 2 : names.indexOf(status);
  return names.map((name, place) => {
    const isBad = place === 2 && ENDS[status];
    const state = isBad ? "bad" : place < last || status === "DONE" ? "done" : place === last ? "now" : "later";
    return h("li", { dataset: { state }, "aria-current": state === "now" ? "step" : undefined }, h("span", { class: "dot" }), isBad ? ENDS[status][0] : STAGES[name]);
  });
}
