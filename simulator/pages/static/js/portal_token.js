// The token of a portal user, for a portal that has users. This tab keeps it until it is closed.

import { h } from "./dom.js";

const NAME = "portal-token";
let asking = null;

/** @returns {string} the token, or an empty text */
export function portalToken() {
  return window.sessionStorage.getItem(NAME) ?? "";
}

/** Ask for the token in a dialog; several calls share one. @returns {Promise<boolean>} whether there is a new token */
export function askForPortalToken() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

function ask() {
  const input = h("input", { type: "password", name: "token", required: true, autocomplete: "off", id: "portal-token" });
  const cancel = h("button", { class: "button", type: "button" }, "Cancel");
  const form = h("form", {},
    h("div", { class: "dialog-header" }, h("h2", {}, "This portal has users")),
    h("div", { class: "dialog-body" }, h("p", {}, "Enter your token: the one in PUT /portal/users/{userId}."), h("label", { class: "field" }, h("span", {}, "Token"), input)),
    h("div", { class: "dialog-actions" }, cancel, h("button", { class: "button", type: "submit", dataset: { kind: "primary" } }, "Use the token")));
  const dialog = h("dialog", { "aria-label": "Token of a portal user" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    const close = (isGiven) => {
      dialog.remove();
      resolve(isGiven);
    };
    cancel.addEventListener("click", () => close(false));
    dialog.addEventListener("cancel", () => close(false));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      window.sessionStorage.setItem(NAME, input.value.trim());
      close(true);
    });
  });
}
