// The store floor: stores with their gates.

import { get } from "../api.js";
import { emptyState, fill, foreign, h } from "../dom.js";

const floor = document.getElementById("floor");

async function show() {
  const stores = await get("/portal/stores");
  floor.removeAttribute("aria-busy");
  if (!stores.length) {
    fill(floor, emptyState("gate", "No store yet", "A store and its gates appear here after PUT /portal/stores/{storeId}. The command jwo play starts a platform with a store."));
    return;
  }
  fill(floor, stores.map((store) => h("section", { class: "card stack" }, h("h2", {}, foreign(store.storeId)))));
}

show();
