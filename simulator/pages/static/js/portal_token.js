// The token of a portal user, for a portal that has users. This tab keeps it until it is closed, and each call of the
// portal carries it.

import { button, h, icon } from "./dom.js";

const NAME = "portal-token";
let asking = null;

/** @returns {string} the token, or an empty text */
export const portalToken = () => window.sessionStorage.getItem(NAME) ?? "";
export const keepToken = (token) => window.sessionStorage.setItem(NAME, token);
export const forgetToken = () => window.sessionStorage.removeItem(NAME);

/** @param {{status: number, message: string}} error @returns {boolean} whether the portal wants a user's token */
export function needsUser({ status, message }) {
  return status === 401 && /portal has users/.test(message);
}

/** Make the form that takes the place of a page: with the token, the page loads again. */
export function signInForm() {
  const { form, fields } = tokenForm(() => window.location.reload());
  form.className = "card stack portal-sign-in";
  form.append(h("h2", {}, icon("lock"), " Sign in to the portal"), ...fields, h("div", {}, signInButton()));
  return form;
}

/** Ask for the token in a dialog; several calls share one. @returns {Promise<boolean>} whether there is a new token */
export function askForPortalToken() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

function ask() {
  return new Promise((resolve) => {
    const close = (isGiven) => {
      dialog.remove();
      resolve(isGiven);
    };
    const { form, fields } = tokenForm(() => close(true));
    form.append(h("div", { class: "dialog-header" }, h("h2", { id: "portal-token-title" }, "Sign in to the portal")),
      h("div", { class: "dialog-body" }, fields),
      h("div", { class: "dialog-actions" }, button("Cancel", { onClick: () => close(false) }), signInButton()));
    const dialog = h("dialog", { "aria-labelledby": "portal-token-title", on: { cancel: () => close(false) } }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Make a form without its frame, and the fields for it; `done` runs when this tab keeps the given token. */
function tokenForm(done) {
  const input = h("input", { type: "password", id: NAME, required: true, minlength: 16, autocomplete: "off" });
  const why = portalToken() ? "The portal does not know the token of this tab. Give another one." : "This portal has users, so each call needs the token of one. It stays in this tab.";
  const form = h("form", {});
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepToken(input.value.trim());
    done();
  });
  return { form, fields: [h("p", { class: "muted" }, why), h("label", { class: "field", for: NAME }, "Token of a user", input)] };
}

function signInButton() {
  return button("Sign in", { kind: "primary", type: "submit" });
}
