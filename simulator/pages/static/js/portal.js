// Signs in to a portal that has users: the token of a user goes along with each call of the portal, in this tab only.

import { button, h, icon } from "./dom.js";

const KEY = "portal-token";

export const isSignedIn = () => window.sessionStorage.getItem(KEY) !== null;
export const keepToken = (token) => window.sessionStorage.setItem(KEY, token);

export function forgetToken() {
  window.sessionStorage.removeItem(KEY);
}

/** @param {any} error @returns {boolean} whether the portal wants a user's token */
export function needsUser(error) {
  return error.status === 401 && /portal has users/.test(error.message);
}

/** Make the form that asks for the token of a user. */
export function signInForm() {
  const input = h("input", { type: "password", id: "portal-token", required: true, minlength: 16, autocomplete: "off" });
  const form = h("form", { class: "card stack portal-sign-in" },
    h("h2", {}, icon("lock"), " Sign in to the portal"),
    h("p", { class: "muted" }, isSignedIn() ? "The portal does not know the token of this tab. Give another one." : "This portal has users, so each call needs the token of one. It stays in this tab."),
    h("label", { class: "field", for: "portal-token" }, "Token of a user", input),
    h("div", {}, button("Sign in", { kind: "primary", type: "submit" })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepToken(input.value.trim());
    window.location.reload();
  });
  return form;
}
