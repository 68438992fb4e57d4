// The AWS accounts that may call the platform, and the users of the portal with their permissions.

import { at, del, get, put } from "../api.js";
import { button, emptyState, fillIfNew, foreign, h } from "../dom.js";
import { FormDialog, choice, field } from "../forms.js";
import { forgetToken, keepToken, portalToken } from "../portal_token.js";
import { toast } from "../toast.js";
import { statusBadge } from "./kinds.js";
import { notice } from "./result.js";

const PERMISSIONS = {
  view: "See everything",
  stores: "Set up stores and connectors",
  accounts: "Allow-list AWS accounts",
  tests: "Run connectivity tests",
  catalog: "Upload catalogs",
  users: "Manage users",
};
const accountDialog = new FormDialog("account-form", "Allow-list the account");
const userDialog = new FormDialog("user-form", "Save the user");
const accountsCard = document.getElementById("accounts");
const usersCard = document.getElementById("users");
let retailers = [];
let knownUsers = [];

/** Read the accounts and users again, and show them. */
export async function showAccess() {
  const merchants = await get("/portal/merchants", { quiet: true }).catch(() => []);
  retailers = merchants.map((one) => one.retailer);
  const ids = merchants.flatMap((one) => one.accounts);
  const accounts = await Promise.all(ids.map((id) => get(at`/portal/accounts/${id}`, { quiet: true }).catch(() => null)));
  fillIfNew(accountsCard, accounts, () => accountsTable(accounts.filter(Boolean)));
  try {
    knownUsers = await get("/portal/users", { quiet: true });
    fillIfNew(usersCard, knownUsers, () => usersTable(knownUsers));
  } catch (error) {
    fillIfNew(usersCard, error.message, () => [h("p", { class: "muted small" }, error.message), signOutButton()]);
  }
}

const cell = (label, ...children) => h("td", { dataset: { label } }, h("span", {}, children));

function table(heads, rows) {
  const head = heads.map((text) => h("th", { scope: "col" }, text || h("span", { class: "visually-hidden" }, "Actions")));
  return h("div", { class: "table-frame" }, h("table", { class: "listed" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)));
}

function accountsTable(accounts) {
  if (!accounts.length) return emptyState("lock", "No account is allow-listed", "An AWS account signs the calls of the catalog API for its retailer. Its queue receives the notifications.");
  return table(["Account", "Retailer", "Access key", "Queue", "Connectivity", "Subscription"], accounts.map((one) => h("tr", {},
    cell("Account", foreign(one.accountId, { class: "mono" })),
    cell("Retailer", foreign(one.retailer)),
    cell("Access key", foreign(one.accessKeyId, { class: "mono" })),
    cell("Queue", one.queueArn ? foreign(one.queueArn, { class: "mono small" }) : "no queue"),
    cell("Connectivity", statusBadge(one.connectivityStatus)),
    cell("Subscription", statusBadge(one.subscriptionStatus)))));
}

function usersTable(users) {
  if (!users.length) return emptyState("people", "The portal has no users", "It is open to every caller. The first user closes it: then each call needs a token.");
  return [table(["User", "Merchant", "Permissions", ""], users.map((one) => h("tr", {},
    cell("User", foreign(one.userId)),
    cell("Merchant", one.retailer ? foreign(one.retailer) : "all"),
    cell("Permissions", one.permissions.join(", ")),
    h("td", { class: "number" }, button("Remove", { kind: "quiet", "aria-label": `Remove the user ${one.userId}`, onClick: () => removeUser(one.userId) }))))), signOutButton()];
}

function signOutButton() {
  if (!portalToken()) return null;
  return h("div", {}, button("Sign out of the portal", { onClick: () => { forgetToken(); window.location.reload(); } }));
}

async function removeUser(userId) {
  await del(at`/portal/users/${userId}`).catch(() => null);
  await showAccess();
}

function retailerField(value, hint) {
  const list = h("datalist", { id: "known-retailers" }, retailers.map((name) => h("option", { value: name })));
  return [field("Retailer", h("input", { name: "retailer", value, list: "known-retailers", autocomplete: "off", required: !hint }), hint), list];
}

function openAccountForm() {
  const secret = (name, props) => h("input", { name, type: "password", autocomplete: "new-password", ...props });
  accountDialog.open("Allow-list an AWS account", [
    h("p", { class: "muted small" }, "The portal never shows the secrets again."),
    h("div", { class: "form-grid" },
      field("Account id", h("input", { name: "accountId", required: true, autocomplete: "off", inputmode: "numeric" })),
      retailerField(retailers[0] ?? "", ""),
      field("Access key id", h("input", { name: "accessKeyId", required: true, autocomplete: "off" })),
      field("Secret access key", secret("secretAccessKey", { required: true })),
      field("Session token", secret("sessionToken", {}), "Only for temporary credentials."),
      field("Queue ARN", h("input", { name: "queueArn", autocomplete: "off", placeholder: "arn:aws:sqs:us-east-1:123456789012:queue" }), "Receives the notifications; it gets an invitation first."))],
  async (data) => {
    const text = (name) => data.get(name).trim() || undefined;
    const given = Object.fromEntries(["retailer", "accessKeyId", "secretAccessKey", "sessionToken", "queueArn"].map((name) => [name, text(name)]));
    await put(at`/portal/accounts/${text("accountId")}`, given);
    toast("good", "The account is allow-listed");
    await showAccess();
  });
}

function openUserForm() {
  const isFirst = !knownUsers.length;
  userDialog.open("Add a user", [
    isFirst ? notice("warn", "The first user closes the portal. Keep its token: scripts and other pages need it too.") : null,
    h("div", { class: "form-grid" },
      field("User id", h("input", { name: "userId", required: true, autocomplete: "off" })),
      retailerField("", "Empty means every merchant."),
      field("Token", h("input", { name: "token", type: "password", required: true, minlength: 16, autocomplete: "new-password" }), "At least 16 characters; the portal never shows it again.")),
    h("fieldset", {}, h("legend", {}, "Permissions"), h("div", { class: "form-grid" }, Object.entries(PERMISSIONS).map(([name, text]) => choice("permissions", name, text, isFirst || name === "view"))))],
  async (data) => {
    const setup = { retailer: data.get("retailer").trim(), permissions: data.getAll("permissions"), token: data.get("token") };
    if (isFirst) keepToken(setup.token); // the portal is closed as soon as it has the user
    await put(at`/portal/users/${data.get("userId").trim()}`, setup).catch((error) => {
      if (isFirst) forgetToken();
      throw error;
    });
    await showAccess();
  });
}

document.getElementById("add-account").addEventListener("click", openAccountForm);
document.getElementById("add-user").addEventListener("click", openUserForm);
