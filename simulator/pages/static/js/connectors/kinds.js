// The connectors of a store, one for each kind of call: its saved configuration, and its connectivity test.

import { at, del, post, put } from "../api.js";
import { button, fill, fillIfNew, foreign, h, setText } from "../dom.js";
import { field } from "../forms.js";
import { toast } from "../toast.js";
import { notice, resultElement } from "./result.js";

export const KINDS = {
  identity: ["Identity", "Verify Identity Keys: a gate asks who may enter with a code of the app or a badge."],
  loyalty: ["Loyalty", "Resolve Scan: a gate asks what a loyalty card is worth to its owner."],
  ordering: ["Ordering", "Create Purchases: the cart of a finished visit goes to the retailer."],
  fraud_and_abuse: ["Fraud and abuse", "Shopper Authorization: the card reader asks whether a means of payment may enter."],
};
const SIGNED = { sigv4: "signed with SigV4", headers: "with the saved headers", none: "without a signature" };
const BADGES = { Complete: "good", Incomplete: "bad", Success: "good", Failed: "bad" };

/** Make the badge of a configuration, a test or a subscription. */
export function statusBadge(status) {
  return h("span", { class: "badge", dataset: BADGES[status] ? { kind: BADGES[status] } : {} }, status);
}

export class ConnectorPanel {
  /** @param {(store: any) => any} changed receives a saved store */
  constructor(changed) {
    this.changed = changed;
    this.kind = "identity";
    this.store = null;
    this.tests = {};
    this.endpoint = h("input", { type: "url", required: true, placeholder: "https://connector.example", autocomplete: "off", on: { input: () => this._showUnsaved() } });
    this.region = h("input", { placeholder: "by default", autocomplete: "off", on: { input: () => this._showUnsaved() } });
    this.unsaved = h("div", { role: "status" });
    this.save = button("Save", { iconName: "save", kind: "primary", type: "submit" });
    this.remove = button("Use the store's connector", { onClick: () => this._remove() });
    this.key = h("input", { placeholder: "Amazon's published sample", autocomplete: "off" });
    this.sentStore = h("input", { autocomplete: "off", placeholder: "by default" });
    this.sku = h("input", { value: "SKU-001", autocomplete: "off" });
    this.run = button("Run the test", { iconName: "send", kind: "primary", onClick: () => this._test() });
    this.result = h("div", { id: "test-result", role: "status" });
    this.tabs = h("div", { class: "tabs", role: "group", "aria-label": "Kinds of calls" });
    this.about = h("p", { class: "muted small" });
    this.calls = h("p", { class: "small" });
    this.form = h("form", { class: "stack", "data-gap": "small", on: { submit: (event) => this._save(event) } },
      h("div", { class: "connector-fields" },
        field("Endpoint", this.endpoint, "The base address. The path of the call follows it."),
        field("Region", this.region, "The AWS region of the signature.")),
      this.unsaved, h("div", { class: "row" }, this.save, this.remove));
    this.probe = h("div", { class: "connector-fields" });
    this.element = h("section", { class: "card stack", "aria-labelledby": "connectors-title" },
      h("h2", { id: "connectors-title" }, "Connectors"), this.tabs, this.about, this.calls,
      h("div", { class: "columns" },
        h("div", { class: "stack", "data-gap": "small" }, h("h3", {}, "Configuration"), this.form),
        h("div", { class: "stack", "data-gap": "small" }, h("h3", {}, "Connectivity test"),
          h("p", { class: "muted small" }, "One call to the saved connector. It ignores values of the form that are not saved."),
          this.probe, h("div", { class: "row" }, this.run), this.result)));
  }

  /** Show a store and its newest tests. With `keepForm` values in the form that are not saved stay. */
  show(store, tests, keepForm) {
    const keep = keepForm && this.store?.storeId === store.storeId && this._isUnsaved();
    [this.store, this.tests] = [store, tests];
    const lights = [this.kind, store.connectorConfigurations, Object.values(tests).map((test) => test.status)];
    fillIfNew(this.tabs, lights, () => Object.entries(KINDS).map(([kind, [name]]) => this._tab(kind, name)));
    this._showKind(keep);
  }

  _tab(kind, name) {
    const { status } = this.store.connectorConfigurations[kind];
    const test = status === "Not Required" ? status : this.tests[kind].status;
    const light = status === "Not Required" ? "off" : { Success: "good", Failed: "bad" }[test] ?? "off";
    const seen = status === "Not Required" ? "not required" : `${status.toLowerCase()}, test: ${test === "Unknown" ? "not run" : test.toLowerCase()}`;
    return h("button", { class: "button", type: "button", "aria-pressed": String(kind === this.kind), on: { click: () => this.choose(kind) } },
      h("span", { class: "dot", dataset: { light }, "aria-hidden": "true" }), name, h("span", { class: "visually-hidden" }, `: ${seen}`));
  }

  /** Show the connector of a kind, and give its tab the focus. */
  choose(kind) {
    this.kind = kind;
    this.show(this.store, this.tests, false);
    [...this.tabs.children].find((tab) => tab.getAttribute("aria-pressed") === "true").focus();
  }

  _showKind(keepForm) {
    const saved = this._saved();
    setText(this.about, KINDS[this.kind][1]);
    fill(this.calls, statusBadge(saved.status), " ", ...this._callSentence(saved));
    if (!keepForm) [this.endpoint.value, this.region.value] = saved.own ? [saved.endpoint, saved.region] : ["", ""];
    this.endpoint.placeholder = saved.endpoint || "https://connector.example";
    this.remove.hidden = !saved.own;
    fillIfNew(this.probe, this.kind, () => [
      this.kind === "identity" ? field("Code of your own", this.key, "As it is in the QR code. Empty: the sample.") : null,
      this.kind === "ordering" ? field("SKU in the cart", this.sku, "One that the connector sells.") : null,
      field("Store id in the message", this.sentStore)]);
    this.run.disabled = !saved.endpoint;
    this._showUnsaved();
    this._showResult();
  }

  _saved() {
    return this.store.connectorConfigurations[this.kind];
  }

  _callSentence({ status, own, endpoint }) {
    if (!endpoint) return [status === "Not Required" ? "The store makes no such calls." : "No connector is saved, so such calls fail."];
    const signed = own ? SIGNED.sigv4 : SIGNED[this.store.connector.auth];
    return ["Calls go to ", foreign(endpoint, { class: "mono" }), `, ${signed}${own ? "" : ": the store's connector"}.`];
  }

  _isUnsaved() {
    const saved = this._saved();
    const [endpoint, region] = saved.own ? [saved.endpoint, saved.region] : ["", ""];
    return this.endpoint.value !== endpoint || this.region.value !== region;
  }

  _showUnsaved() {
    const isUnsaved = this._isUnsaved();
    this.save.disabled = !isUnsaved;
    fill(this.unsaved, isUnsaved ? notice("warn", "Not saved yet. Gates and the test use the saved configuration.") : null);
  }

  _showResult() {
    const { status, result } = this.tests[this.kind];
    const unsaved = this._isUnsaved() ? this.endpoint.value : "";
    const hint = this._saved().endpoint ? "This connector was not tested yet." : "Save a connector first.";
    fillIfNew(this.result, [result, status, unsaved, hint], () => (result ? resultElement(result, { status, unsaved }) : h("p", { class: "muted small" }, hint)));
  }

  async _save(event) {
    event.preventDefault();
    const body = { endpoint: this.endpoint.value.trim(), region: this.region.value.trim() };
    const store = await put(at`/portal/stores/${this.store.storeId}/connectors/${this.kind}`, body).catch(() => null);
    if (!store) return;
    toast("good", "The configuration is saved", "Run the connectivity test to try it.");
    this.endpoint.value = body.endpoint;
    await this.changed(store);
  }

  async _remove() {
    const store = await del(at`/portal/stores/${this.store.storeId}/connectors/${this.kind}`).catch(() => null);
    if (store) await this.changed(store);
  }

  async _test() {
    const { storeId } = this.store;
    const text = (input) => input.value.trim() || undefined;
    const draft = this._isUnsaved() ? { endpoint: this.endpoint.value, region: this.region.value } : {};
    const own = { identity: { identityKey: text(this.key) }, ordering: { sku: text(this.sku) } }[this.kind];
    this.run.disabled = true;
    this.run.setAttribute("aria-busy", "true");
    fillIfNew(this.result, "waiting", () => h("p", { class: "muted small" }, "Waiting for the connector …"));
    try {
      const kind = this.kind;
      const result = await post(at`/portal/stores/${storeId}/connectors/${kind}/connectivity-test`, { ...draft, ...own, storeId: text(this.sentStore) });
      this.tests[kind] = { status: result.passed ? "Success" : "Failed", result };
    } catch {
      // the call has shown its problem
    }
    this.run.disabled = false;
    this.run.removeAttribute("aria-busy");
    if (storeId === this.store.storeId) this.show(this.store, this.tests, true);
  }
}
