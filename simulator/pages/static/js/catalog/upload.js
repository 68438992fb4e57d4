// Uploads a file as an account of a retailer: dropped, or chosen.

import { at, call } from "../api.js";
import { emptyState, fill, foreign, h, icon, oneDirection, setText } from "../dom.js";
import { field } from "../forms.js";

const MB = 1000000;

export class Uploader {
  /** @param {any} limits the answer of GET /portal/catalog @param {(ingestionId: string) => any} accepted */
  constructor(limits, accepted) {
    this.limits = limits;
    this.accepted = accepted;
    this.account = h("select", { id: "upload-account" });
    this.input = h("input", { type: "file", class: "visually-hidden", id: "upload-file", accept: ".csv,.tsv,.txt,.json,text/csv,application/json", on: { change: () => this._take(this.input.files) } });
    this.what = h("strong", {}, "Drop a file here, or choose one");
    this.drop = h("label", { class: "drop", for: "upload-file" }, icon("upload"), this.what,
      h("span", { class: "muted small" }, `CSV or JSON, at most ${limits.mostItems.toLocaleString("en")} items and ${limits.mostFileBytes / MB} MB`), this.input);
    this.problem = h("div", { role: "alert" });
    this.help = h("details", {}, h("summary", {}, "What is in such a file"),
      h("p", { class: "small" }, "A CSV begins with a header. It needs the columns ", h("code", {}, limits.requiredColumns.join(", ")), ", and may have ",
        h("code", {}, limits.columns.filter((name) => !limits.requiredColumns.includes(name) && !name.startsWith("additional")).join(", ")), "."),
      h("p", { class: "small" }, "JSON has the form of the catalog API: ", h("code", {}, '{"catalogItems": [{…}, {…}]}'), ", or only the list."));
    this.element = h("section", { class: "card stack", "aria-labelledby": "upload-title" }, h("h2", { id: "upload-title" }, "Upload"),
      field("As the account", this.account, "The checks, the rate limit and the faults are those of the catalog API."), this.drop, this.problem, this.help);
    for (const name of ["dragenter", "dragover"]) this.drop.addEventListener(name, (event) => this._over(event, true));
    this.drop.addEventListener("dragleave", (event) => this._over(event, false));
    this.drop.addEventListener("drop", (event) => {
      this._over(event, false);
      this._take(event.dataTransfer.files);
    });
  }

  /** @param {{accountId: string, retailer: string}[]} accounts */
  show(accounts) {
    const before = this.account.value;
    fill(this.account, accounts.map((one) => h("option", { value: one.accountId }, `${one.accountId} (${one.retailer})`)));
    if (accounts.some((one) => one.accountId === before)) this.account.value = before;
    this.drop.hidden = this.account.parentElement.hidden = !accounts.length;
    if (accounts.length) return;
    fill(this.problem, emptyState("lock", "No account may upload", "Allow-list an AWS account of the retailer first.", h("a", { class: "button", href: "/ui/connectors#accounts-title" }, "Go to the accounts")));
  }

  _over(event, isOver) {
    event.preventDefault();
    this.drop.dataset.over = String(isOver);
  }

  async _take(files) {
    const [file] = files;
    if (!file || this.drop.getAttribute("aria-busy") === "true") return;
    fill(this.problem);
    if (files.length > 1) return this._refuse(`${files.length} files`, "Upload one file at a time.");
    if (file.size > this.limits.mostFileBytes) {
      return this._refuse(file.name, `The file has ${Math.round(file.size / MB)} MB; at most ${this.limits.mostFileBytes / MB} MB are allowed. Divide it into several files.`);
    }
    await this._send(file);
  }

  async _send(file) {
    this.drop.setAttribute("aria-busy", "true");
    setText(this.what, "Uploading …");
    try {
      const query = new URLSearchParams({ file: file.name.slice(0, 1000) });
      const answer = await call("POST", `${at`/portal/accounts/${this.account.value}/catalog-uploads`}?${query}`, file, { quiet: true });
      if (answer.ignoredColumns.length) {
        fill(this.problem, h("p", { class: "notice", dataset: { kind: "warn" } }, h("span", {}, "These columns are not read: ", foreign(answer.ignoredColumns.join(", ")), ".")));
      }
      this.accepted(answer.ingestionId);
    } catch (error) {
      this._refuse(file.name, error.message);
    } finally {
      this.input.value = "";
      this.drop.removeAttribute("aria-busy");
      setText(this.what, "Drop a file here, or choose one");
    }
  }

  _refuse(name, text) {
    fill(this.problem, h("div", { class: "notice", dataset: { kind: "bad" } }, h("div", {}, h("strong", { class: "cut" }, foreign(name)), h("p", {}, oneDirection(text)))));
  }
}
