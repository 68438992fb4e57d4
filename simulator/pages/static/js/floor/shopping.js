// The shoppers inside, the cart of the chosen one, and the shelves with the store's goods.

import { at, get, post } from "../api.js";
import { visitorName, visitorType } from "../causes.js";
import { button, fill, foreign, h, icon, keyed, setText } from "../dom.js";

const MOST_SHOWN = 24;
const SHELF = 36;
const WEIGHT = "0.5";
const SEARCH_AFTER_MS = 200;
const LEAVES_AT_ONCE = 4;

export class Shopping {
  /** @param {import("./state.js").Floor} floor */
  constructor(floor) {
    this.floor = floor;
    this.storeId = "";
    this.tripId = "";
    this.trip = null;
    this.names = new Map();
    this.count = h("span", { class: "badge" });
    this.people = h("div", { class: "people" });
    this.allLeave = button("Walk out all", { iconName: "exit", onClick: () => this.leaveAll() });
    this.cartTitle = h("h3", {}, "Cart");
    this.lines = h("ul", { class: "cart-lines" });
    this.leave = button("Walk out", { iconName: "exit", kind: "primary", onClick: () => this.leaveOne() });
    this.search = h("input", { type: "search", id: "shelf-search", placeholder: "Name, SKU or barcode", autocomplete: "off", on: { input: () => this._searchSoon() } });
    this.shelf = h("div", { class: "shelf" });
    this.shelfNote = h("p", { class: "muted small", role: "status" });
    this.other = h("form", { class: "row other-goods", on: { submit: (event) => this._pickOther(event) } },
      h("label", { class: "field" }, h("span", {}, "Another SKU"), h("input", { name: "sku", autocomplete: "off", required: true, maxlength: 255 })),
      h("button", { class: "button", type: "submit" }, icon("plus"), h("span", {}, "Pick it")));
    this.inside = h("section", { class: "card stack" },
      h("div", { class: "card-header" }, h("div", { class: "row" }, h("h2", {}, "Inside the store"), this.count), this.allLeave), this.people,
      h("div", { class: "stack cart", "data-gap": "small" }, h("div", { class: "card-header" }, this.cartTitle, this.leave), this.lines));
    this.shelves = h("section", { class: "card stack" },
      h("div", { class: "card-header" }, h("h2", {}, "Shelves"), h("label", { class: "shelf-search" }, h("span", { class: "visually-hidden" }, "Search the shelves"), this.search)), this.shelf, this.shelfNote, this.other);
    this.timer = 0;
    this._showCart();
  }

  /** Show another store. */
  async showStore(storeId) {
    if (storeId === this.storeId) return;
    this.storeId = storeId;
    this.choose("");
    this.search.value = "";
    this.showInside();
    await this.readShelf();
  }

  /** Show who is inside. If the chosen shopper has left, choose none. */
  showInside() {
    const shown = this.floor.insideOf(this.storeId, MOST_SHOWN);
    const total = [...this.floor.inside.values()].filter((one) => one.storeId === this.storeId || !one.storeId).length;
    setText(this.count, String(total));
    this.allLeave.disabled = total === 0;
    keyed(this.people, shown, (one) => one.tripId, (one) => this._person(one), (element, one) => element.setAttribute("aria-pressed", String(one.tripId === this.tripId)));
    if (this.tripId && !this.floor.inside.has(this.tripId)) this.choose("");
    else this._showEmpty();
  }

  /** Choose the shopper who takes goods. */
  async choose(tripId) {
    this.tripId = tripId;
    this.trip = null;
    for (const [key, element] of this.people.keyedElements ?? []) element.setAttribute("aria-pressed", String(key === tripId));
    this._showCart();
    if (tripId) await this.readTrip();
  }

  /** Read the chosen shopper's cart. */
  async readTrip() {
    const tripId = this.tripId;
    if (!tripId) return;
    const trip = await get(at`/trips/${tripId}`, { quiet: true }).catch(() => null);
    if (tripId === this.tripId) this._showTrip(trip);
  }

  /** Read the goods that match the search. */
  async readShelf() {
    const storeId = this.storeId;
    const found = await get(`${at`/stores/${storeId}/goods`}?${new URLSearchParams({ search: this.search.value, limit: String(SHELF) })}`).catch(() => null);
    if (!found || storeId !== this.storeId) return;
    for (const one of found.goods) if (one.name) this.names.set(one.sku, one.name);
    keyed(this.shelf, found.goods, (one) => JSON.stringify(one), (one) => this._goods(one));
    const hidden = found.matching - found.goods.length;
    setText(this.shelfNote, found.total === 0 ? "No catalog was uploaded to this store. Type a SKU that the connector knows." : found.matching === 0 ? "Nothing matches the search." : hidden > 0 ? `${hidden} more. Search for them by name, SKU or barcode.` : "");
    this._showShelfState();
  }

  async pick(goods) {
    if (this.tripId) this._showTrip(await post(at`/trips/${this.tripId}/pick`, goods).catch(() => null));
  }

  async putBack(goods) {
    this._showTrip(await post(at`/trips/${this.tripId}/put-back`, goods).catch(() => null));
  }

  async leaveOne() {
    await post(at`/trips/${this.tripId}/leave`).catch(() => null);
  }

  async leaveAll() {
    const { tripIds } = await get(`/trips?${new URLSearchParams({ store: this.storeId })}`);
    const leaveNext = async () => {
      for (let id = tripIds.pop(); id; id = tripIds.pop()) await post(at`/trips/${id}/leave`).catch(() => null);
    };
    await Promise.all(Array.from({ length: LEAVES_AT_ONCE }, leaveNext));
  }

  _showTrip(trip) {
    if (trip) this.trip = trip;
    this._showCart();
  }

  _showCart() {
    const isShopping = Boolean(this.tripId);
    const person = this.floor.inside.get(this.tripId);
    if (isShopping) fill(this.cartTitle, "Cart of ", foreign(person ? visitorName(person) : "a shopper"));
    else fill(this.cartTitle, "Cart");
    this.leave.disabled = !isShopping;
    const items = this.trip?.cartItems ?? [];
    keyed(this.lines, items, (item) => `${item.id} ${item.quantity.unit}`, (item) => this._line(item), (element, item) => setText(element.querySelector(".amount"), amount(item.quantity)));
    this._showEmpty();
    this._showShelfState();
  }

  _showEmpty() {
    const hint = this.tripId ? "The cart is empty: pick something off a shelf." : this.floor.inside.size ? "Choose a shopper: then pick goods for the cart." : "Open a gate: the shopper who enters appears here.";
    this.lines.dataset.empty = this.lines.children.length ? "" : hint;
  }

  _showShelfState() {
    const isShopping = Boolean(this.tripId);
    for (const control of this.shelf.querySelectorAll("button")) control.disabled = !isShopping;
    for (const control of this.other.elements) control.disabled = !isShopping;
  }

  _person(one) {
    const type = visitorType(one);
    return h("button", { class: "person", type: "button", on: { click: () => this.choose(one.tripId) }, title: `Trip ${one.tripId}` },
      icon("person"), h("span", { class: "cut" }, foreign(visitorName(one))), type && type !== "Shopper" ? h("span", { class: "badge" }, type) : null);
  }

  _line(item) {
    const name = this.names.get(item.id);
    const one = { ...(item.type === "SKU" ? { sku: item.id } : { scancode: item.id }), ...step(item.quantity.unit) };
    const control = (label, iconName, act) => h("button", { class: "icon-button", type: "button", "aria-label": `${label} ${name ?? item.id}`, on: { click: act } }, icon(iconName));
    return h("li", {}, h("span", { class: "line-name" }, name ? [foreign(name), " "] : null, h("bdi", { class: name ? "muted small mono" : "mono" }, item.id)), h("span", { class: "amount number" }, amount(item.quantity)),
      control("Put back", "minus", () => this.putBack(one)), control("Pick", "plus", () => this.pick(one)));
  }

  _goods(one) {
    const id = one.sku || one.scancode;
    const goods = { ...(one.sku ? { sku: one.sku } : { scancode: one.scancode }), ...step(one.unit) };
    return h("button", { class: "goods", type: "button", on: { click: () => this.pick(goods) } },
      h("span", { class: "goods-name" }, foreign(one.name || id)), h("span", { class: "goods-more muted small" }, h("bdi", { class: "mono" }, id), h("span", {}, one.unit === "unit" ? one.price || "" : `${one.price ? `${one.price} / ` : ""}${one.unit}`)));
  }

  _searchSoon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.readShelf(), SEARCH_AFTER_MS);
  }

  async _pickOther(event) {
    event.preventDefault();
    await this.pick({ sku: event.target.elements.sku.value });
  }
}

function step(unit) {
  return unit === "unit" ? {} : { quantity: WEIGHT, unit };
}

function amount({ value, unit }) {
  return unit === "unit" ? `${value.replace(/\.0$/, "")} ×` : `${value} ${unit}`;
}
