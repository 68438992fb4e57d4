// Short messages in a corner, which screen readers announce.

import { h, icon } from "./dom.js";

const LASTS_MS = 6000;
const MOST = 4;

/**
 * Show a message. A bad one stays twice as long.
 * @param {"good"|"bad"|"info"} kind
 * @param {string} title
 * @param {string} [text] what to do
 */
export function toast(kind, title, text = "") {
  const region = document.getElementById("toasts");
  if (!region) return;
  while (region.children.length >= MOST) region.firstElementChild.remove();
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close the message" }, icon("close"));
  const element = h("div", { class: "toast", dataset: { kind } }, h("div", {}, h("strong", {}, title), text ? h("bdi", {}, text) : null), close);
  close.addEventListener("click", () => element.remove());
  region.append(element);
  window.setTimeout(() => element.remove(), kind === "bad" ? 2 * LASTS_MS : LASTS_MS);
}
