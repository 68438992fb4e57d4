// The chosen exchange: its facts, the rules that it touches, both bodies, and what one can do with it.

import { get, post, at } from "../api.js";
import { button, emptyState, fill, foreign, h, icon } from "../dom.js";
import { duration, fullTime } from "../time.js";
import { toast } from "../toast.js";
import { copyText } from "./clipboard.js";
import { bodyView, pretty } from "./json_view.js";
import { Saving } from "./saving.js";
import { judge, kindText, statusText, summarize, troubleText } from "./summary.js";
import { outcomeWords, reasonWords } from "./words.js";

const RESULTS = { broken: ["bad", "cross", "Broken"], kept: ["good", "check", "Kept"], touched: ["accent", "info", "Applies"] };
const byId = (id) => document.getElementById(id);

export class Detail {
  /**
   * @param {HTMLElement} element
   * @param {Map<string, any>} operations by name
   * @param {(seq: number|null) => any} choose
   */
  constructor(element, operations, choose) {
    this.element = element;
    this.operations = operations;
    this.choose = choose;
    this.entry = null;
    this.seq = 0;
    this.saving = new Saving();
    this.meanings = new Map(); // of faults, by name
    byId("editing-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this._sendEdited();
    });
    for (const each of document.querySelectorAll("dialog [data-close]")) each.addEventListener("click", () => each.closest("dialog").close());
  }

  /** Show nothing yet. */
  clear() {
    this.seq = 0;
    this.entry = null;
    this.element.dataset.empty = "true";
    fill(this.element, emptyState("wire", "Choose an exchange", "Its bodies, its time and the rules that it touches appear here."));
  }

  /** @param {number} seq of the journal */
  async show(seq) {
    this.seq = seq;
    const [entry, touched] = await Promise.all([get(at`/journal/${seq}`), get(at`/journal/${seq}/rules`)]).catch(() => [null, null]);
    if (this.seq !== seq) return;
    if (!entry) {
      this.clear();
      return;
    }
    this.entry = entry;
    this.element.dataset.empty = "false";
    fill(this.element, this._head(touched.rules), this._actions(), rulesView(touched, this.choose), factsView(entry),
      bodiesView(entry, touched.problems));
  }

  _head(rules) {
    const one = summarize(this.entry, this.operations);
    judge(one, rules.filter(({ result }) => result === "broken").map(({ id }) => id));
    const close = h("button", { class: "icon-button", type: "button", on: { click: () => this.choose(null) } }, icon("close"), h("span", { class: "visually-hidden" }, "Close the exchange"));
    return h("div", { class: "wire-head" },
      h("div", {}, h("h2", {}, one.operation), h("p", { class: "muted small" }, `${kindText(one.kind)} · ${fullTime(one.at)} · entry ${one.seq}`)),
      close,
      h("div", { class: "row wire-result" }, h("span", { class: "badge", dataset: { kind: one.level } }, statusText(one)),
        troubleText(one) ? h("strong", { class: "late" }, troubleText(one)) : null, timeView(one)),
      one.faults.map((fault) => h("p", { class: "small wire-result row" }, h("span", { class: "badge", dataset: { kind: "warn" } }, icon("fault"), "Fault of the platform"),
        h("span", {}, this.meanings.get(fault) ?? fault, " ", h("span", { class: "mono muted" }, fault)))));
  }

  _actions() {
    const isSent = this.entry.kind !== "retailer_call" && this.entry.request.url;
    return h("div", { class: "row" },
      isSent ? button("Send again", { iconName: "repeat", onClick: () => this._send() }) : null,
      isSent ? button("Edit and send", { iconName: "edit", onClick: () => this._edit() }) : null,
      button("Copy as curl", { iconName: "copy", onClick: () => this._copy() }),
      isSent ? button("Save as a case", { iconName: "save", onClick: () => this._save() }) : null);
  }

  async _send(edited) {
    const entry = await post(at`/journal/${this.entry.seq}/resend`, edited);
    toast("info", "Sent again", `The answer is ${statusText(summarize(entry, this.operations))}, in ${duration(entry.elapsedMs)}.`);
    this.choose(entry.seq);
  }

  _edit() {
    byId("edited-body").value = pretty(this.entry.request.body);
    byId("edited-problem").textContent = "";
    byId("editing").showModal();
  }

  async _sendEdited() {
    const problem = byId("edited-problem");
    let body;
    try {
      body = JSON.parse(byId("edited-body").value);
    } catch (error) {
      problem.textContent = `This is not JSON: ${error.message}`;
      return;
    }
    if (body === null || typeof body !== "object" || Array.isArray(body)) {
      problem.textContent = "The body must be a JSON object.";
      return;
    }
    await this._send({ body }).then(() => byId("editing").close(), () => {});
  }

  _save() {
    const { seq, operation, response } = this.entry;
    this.saving.open(seq, `${operation} ${response?.status ?? "answer"} entry ${seq}`, response?.status ?? null, response?.body ?? null);
  }

  async _copy() {
    await copyText(await get(at`/journal/${this.entry.seq}/curl`), "The curl command is copied", "Hidden values are ***: put yours there.");
  }
}

function timeView({ elapsedMs, limitMs, isLate }) {
  if (elapsedMs === null) return null;
  if (limitMs === null) return h("span", {}, duration(elapsedMs));
  const share = Math.min(1, elapsedMs / limitMs);
  const bar = h("span", { class: "time-bar", dataset: { late: String(isLate) } }, h("span", {}));
  bar.firstChild.style.width = `${Math.max(2, share * 100)}%`;
  return h("span", { class: "time-of-limit" }, h("strong", {}, duration(elapsedMs)), h("span", { class: "muted" }, ` of ${duration(limitMs)}`), bar);
}

function rulesView({ rules, earlier }, choose) {
  if (!rules.length) return null;
  return h("section", { class: "stack", dataset: { gap: "small" }, "aria-label": "Rules" }, h("h3", {}, "Rules that it touches"),
    h("ul", { class: "rules" }, rules.map(ruleView)),
    earlier.length ? h("p", { class: "small" }, "Earlier exchanges of the same id: ", earlier.map(({ seq, status }) =>
      button(`${seq} (${status ?? "no answer"})`, { kind: "quiet", onClick: () => choose(seq) }))) : null);
}

function ruleView({ id, title, text, result, why }) {
  const [kind, iconName, word] = RESULTS[result];
  return h("li", { class: "rule" }, h("span", { class: "badge", dataset: { kind } }, icon(iconName), word),
    h("div", {}, h("strong", { class: "rule-title" }, h("span", { class: "mono" }, id), ` ${title}`), h("p", { class: "small" }, plain(text)), h("p", { class: "small muted" }, h("bdi", {}, why))));
}

/** The register marks names with back quotes. */
function plain(text) {
  return text.split("`").map((part, number) => (number % 2 ? h("code", {}, part) : part));
}

/** The words of a code; its title is the code. */
function inWords(code, words) {
  return code ? h("span", { title: code }, h("bdi", {}, words(code))) : null;
}

function factsView(entry) {
  const trip = entry.tripId ? h("a", { href: `/ui/trips?trip=${encodeURIComponent(entry.tripId)}` }, foreign(entry.tripId)) : null;
  const facts = [["Store", entry.storeId], ["Gate", entry.gate], ["Trip", trip], ["Request id", entry.requestId], ["Account", entry.account],
    ["Outcome", inWords(entry.outcome ?? entry.cause, outcomeWords)], ["Reason", inWords(entry.reason, reasonWords)], ["Purchase", entry.purchaseId], ["Sent again from", entry.resent]];
  return h("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value instanceof Node ? value : foreign(String(value)))]));
}

function bodiesView(entry, problems) {
  const { request, response, lost } = entry;
  return h("div", { class: "bodies" },
    messageView("Request", `${request.method} ${request.url}`, request, problems.request),
    response ? messageView("Answer", `${response.status}`, response, problems.response) : h("section", { class: "stack", dataset: { gap: "small" } }, h("h3", {}, "Answer"), h("p", { class: "muted small" }, "No answer")),
    lost ? messageView("Answer that a fault took away", `${lost.status ?? "no status"}`, lost, []) : null);
}

function messageView(title, line, { headers, body }, problems) {
  const count = problems.length;
  return h("section", { class: "stack", dataset: { gap: "small" }, "aria-label": title },
    h("div", { class: "row" }, h("h3", {}, title), count ? h("span", { class: "badge", dataset: { kind: "bad" } }, count === 1 ? "1 schema problem" : `${count} schema problems`) : null),
    h("p", { class: "small mono" }, h("bdi", {}, line)),
    bodyView(body, problems),
    h("details", { class: "small" }, h("summary", {}, "Headers"), h("dl", { class: "facts mono" }, Object.entries(headers).map(([name, value]) => [h("dt", {}, name), h("dd", {}, foreign(value))]))));
}
