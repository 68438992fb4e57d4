// The dialog that shows an exchange as a case of the profile: to copy, to download, or to add to the profile's file.

import { at, call } from "../api.js";
import { toast } from "../toast.js";
import { copyText } from "./clipboard.js";
import { ExpectedMembers } from "./expected_members.js";

const SHOW_AFTER_MS = 200;
const byId = (id) => document.getElementById(id);

export class Saving {
  constructor() {
    this.seq = 0;
    this.toml = "";
    this.timer = 0;
    this.expected = new ExpectedMembers(byId("case-expected"), () => this._showSoon());
    for (const id of ["case-name", "case-status"]) byId(id).addEventListener("input", () => this._showSoon());
    byId("case-copy").addEventListener("click", () => copyText(this.toml, "The case is copied", "Paste it at the end of your jwo.toml."));
    byId("saving-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!byId("case-append").hidden) this._append();
    });
  }

  /** @param {number} seq of the journal @param {string} name @param {number|null} status that the case expects @param {any} answer body */
  open(seq, name, status, answer) {
    this.seq = seq;
    byId("case-name").value = name;
    byId("case-status").value = status ?? "";
    this.expected.offer(answer);
    byId("saving").showModal();
    this._show();
  }

  _showSoon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this._show(), SHOW_AFTER_MS);
  }

  async _show() {
    const made = await this._make(false);
    this.toml = made?.toml ?? "";
    byId("case-toml").textContent = this.toml;
    byId("case-copy").disabled = byId("case-append").disabled = !made;
    byId("case-download").href = `data:application/toml;charset=utf-8,${encodeURIComponent(this.toml)}`;
    if (!made) return;
    byId("case-append").hidden = made.profile === null;
    byId("case-append-text").textContent = `Add to ${made.profile}`;
  }

  async _append() {
    const made = await this._make(true);
    if (!made) return;
    byId("saving").close();
    toast("good", `The case is in ${made.profile}`, "jwo certify runs it from now on.");
  }

  /** Return the case, or null and show why there is none. */
  async _make(append) {
    const status = byId("case-status").value;
    try {
      const expected = this.expected.read();
      const wish = { name: byId("case-name").value.trim(), append, expected, ...(status ? { status: Number(status) } : {}) };
      const made = await call("POST", at`/journal/${this.seq}/case`, wish, { quiet: true });
      byId("case-problem").textContent = "";
      return made;
    } catch (error) {
      byId("case-problem").textContent = error.message;
      return null;
    }
  }
}
