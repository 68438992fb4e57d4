// The items of a store with their barcodes, and the search by barcode, SKU or name.

import { at, get } from "../api.js";
import { button, emptyState, fill, foreign, h, setText } from "../dom.js";
import { field } from "../forms.js";

const PAGE = 25;
const SEARCH_AFTER_MS = 200;

export class ItemSearch {
  constructor() {
    this.store = h("select", { id: "items-store", on: { change: () => this.search() } });
    this.text = h("input", { type: "search", id: "items-search", placeholder: "Barcode, SKU or name", maxlength: 255, autocomplete: "off", on: { input: () => this._searchSoon() } });
    this.count = h("p", { class: "muted small", role: "status", id: "items-count" });
    this.rows = h("tbody");
    this.found = h("div", {});
    this.more = button("Show more", { onClick: () => this._more() });
    this.table = h("div", { class: "table-frame" }, h("table", { class: "listed" },
      h("thead", {}, h("tr", {}, ["SKU", "Name", "Barcodes", "Price", "Category", "State"].map((text) => h("th", { scope: "col", class: text === "Price" ? "number" : undefined }, text)))), this.rows));
    this.element = h("section", { class: "card stack", "aria-labelledby": "items-title" }, h("h2", { id: "items-title" }, "Items"),
      h("div", { class: "search-row" }, field("Store", this.store), field("Search", this.text)), this.count, this.found, h("div", {}, this.more));
    this.timer = 0;
    this.run = 0;
    this.shown = 0;
  }

  /** @param {{storeId: string}[]} stores */
  async show(stores) {
    const before = this.store.value;
    fill(this.store, stores.map((one) => h("option", { value: one.storeId }, one.storeId)));
    if (stores.some((one) => one.storeId === before)) this.store.value = before;
    await this.search();
  }

  async search() {
    this.shown = 0;
    await this._read((items) => fill(this.rows, items));
  }

  async _more() {
    await this._read((items) => this.rows.append(...items));
  }

  async _read(put) {
    const run = (this.run += 1);
    if (!this.store.value) return this._showEmpty(0);
    const query = new URLSearchParams({ search: this.text.value.trim(), offset: String(this.shown), limit: String(PAGE) });
    const answer = await get(`${at`/stores/${this.store.value}/items`}?${query}`).catch(() => null);
    if (!answer || run !== this.run) return;
    put(answer.items.map(itemRow));
    this.shown += answer.items.length;
    const all = answer.total === 1 ? "1 item" : `${answer.total} items`;
    setText(this.count, this.text.value.trim() ? `${answer.matching} of ${all} match.` : `${all}.`);
    this.more.hidden = this.shown >= answer.matching;
    if (answer.matching) fill(this.found, this.table);
    else this._showEmpty(answer.total);
  }

  _showEmpty(total) {
    this.more.hidden = true;
    fill(this.found, total
      ? emptyState("search", "No item matches", "Search for a part of the SKU or of the name, or for a barcode with all its digits.")
      : emptyState("catalog", "The store has no items", "Upload a file with the store's id in the column store_id."));
  }

  _searchSoon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.search(), SEARCH_AFTER_MS);
  }
}

function itemRow({ item, state, onPlanogram }) {
  const cell = (label, ...children) => h("td", { dataset: { label } }, h("span", {}, children));
  const further = item.additional_external_product_information ?? [];
  const barcodes = [item, ...further].filter((one) => one.external_product_id);
  return h("tr", {},
    cell("SKU", foreign(item.item_sku, { class: "mono" })),
    cell("Name", foreign(item.item_name)),
    h("td", { dataset: { label: "Barcodes" } }, h("ul", { class: "barcodes" }, barcodes.map((one) => h("li", {}, foreign(one.external_product_id, { class: "mono" }), " ", foreign(one.external_product_id_type ?? "", { class: "muted small" }))))),
    h("td", { class: "number", dataset: { label: "Price" } }, foreign(item.standard_price ?? "")),
    cell("Category", foreign([item.product_category, item.product_subcategory].filter(Boolean).join(" / "))),
    cell("State", h("span", { class: "badge", dataset: state === "active" ? { kind: "good" } : {} }, state), onPlanogram ? h("span", { class: "muted small" }, " on the planogram") : null));
}
