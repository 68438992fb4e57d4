// The form of a store. The values of its connector's headers are secrets: the portal never shows them again.

import { at, put } from "../api.js";
import { button, h } from "../dom.js";
import { FormDialog, choice, field, select } from "../forms.js";
import { toast } from "../toast.js";

const METHODS = { app: "Code of the app", badge: "Badge", card: "Card", palm: "Palm" };
const STRATEGIES = [
  ["amazon_managed", "Amazon manages it"],
  ["amazon_recommendation", "Amazon recommends, the connector decides"],
  ["retailer_managed", "The retailer manages it"],
];
const NEW = {
  storeId: "", retailer: "", gates: [], methods: ["app", "badge"], storeDefault: "", qrPattern: "", strategy: "amazon_managed",
  loyalty: false, chargeCalculation: "retailer", paymentProcessor: "retailer", authorizedAmount: null, badgeChannel: "CONTACT", connector: null,
};
const dialog = new FormDialog("store-form", "Save the store");

/** Open the form of a store, or of a new one; `saved` receives the store. */
export function openStoreForm(store, saved) {
  const isNew = store === null;
  const shown = store ?? NEW;
  dialog.open(isNew ? "Add a store" : `Edit ${shown.storeId}`, content(shown, isNew), async (data) => {
    const storeId = isNew ? data.get("storeId").trim() : shown.storeId;
    const answer = await put(at`/portal/stores/${storeId}`, setup(data, isNew));
    toast("good", "The store is saved");
    await saved(answer);
  });
}

function content(shown, isNew) {
  const text = (name, props = {}) => h("input", { name, value: shown[name], autocomplete: "off", ...props });
  const lines = h("textarea", { name: "gates", rows: 3 });
  lines.value = shown.gates.join("\n");
  return [
    h("div", { class: "form-grid" },
      isNew ? field("Store id", text("storeId", { required: true, pattern: ".*\\S.*" })) : null,
      field("Retailer", text("retailer", { required: true })),
      field("Store default", select("storeDefault", [...(isNew ? [["", "by default"]] : []), ["closed", "closed"], ["open", "open"]], shown.storeDefault), "What a gate does if the connector fails."),
      field("QR pattern", text("qrPattern", { placeholder: isNew ? "by default" : "every code" }), "A regular expression. Other codes make no call.")),
    field("Gates", lines, "One id in each line."),
    h("fieldset", {}, h("legend", {}, "Ways in"), h("div", { class: "row" }, Object.entries(METHODS).map(([value, label]) => choice("methods", value, label, shown.methods.includes(value))), choice("loyalty", "yes", "Loyalty card", shown.loyalty))),
    h("div", { class: "form-grid" },
      field("Strategy for fraud and abuse", select("strategy", STRATEGIES, shown.strategy)),
      field("Charge calculation", select("chargeCalculation", [["retailer", "by the retailer"], ["amazon", "by Amazon"]], shown.chargeCalculation)),
      field("Cards are charged", select("paymentProcessor", [["retailer", "by the retailer"], ["amazon", "by Amazon, with the retailer's payment calls"], ["checkout", "by Amazon, with Checkout Cart"]], shown.paymentProcessor)),
      field("Authorized amount", text("authorizedAmount", { type: "number", min: 0, step: "any", placeholder: "by default", value: shown.authorizedAmount ?? "" }), "Reserved on a card at the gate."),
      field("Badge readers", select("badgeChannel", [["CONTACT", "by contact"], ["RADIO", "by radio"]], shown.badgeChannel))),
    connectorFields(shown.connector)];
}

function connectorFields(connector) {
  const rows = h("div", { class: "stack", "data-gap": "small" });
  const names = connector?.headers ?? [];
  for (const name of names) rows.append(headerRow(name, true));
  const add = button("Add a header", { iconName: "plus", onClick: () => rows.append(headerRow("", false)) });
  const headers = h("div", { class: "stack", "data-gap": "small" }, rows, h("div", {}, add));
  const auth = select("auth", [["sigv4", "SigV4 signature"], ["headers", "Headers"], ["none", "No authentication"]], connector?.auth ?? "sigv4");
  const showHeaders = () => (headers.hidden = auth.value !== "headers");
  auth.addEventListener("change", showHeaders);
  showHeaders();
  return h("fieldset", { class: "stack", "data-gap": "small" }, h("legend", {}, "Connector of the store"),
    h("div", { class: "form-grid" },
      field("Address", h("input", { name: "url", type: "url", value: connector?.url ?? "", placeholder: "https://connector.example", autocomplete: "off" }), "For every kind of call without an address of its own."),
      field("Authentication", auth)),
    headers);
}

function headerRow(name, isSaved) {
  const row = h("div", { class: "header-row" },
    field("Header", h("input", { name: "headerName", value: name, required: true, readonly: isSaved, autocomplete: "off" })),
    field("Value", h("input", { name: "headerValue", type: "password", placeholder: isSaved ? "saved; empty keeps it" : "", autocomplete: "new-password" })),
    button("Remove", { kind: "quiet", "aria-label": `Remove the header ${name}`, onClick: () => row.remove() }));
  row.dataset.saved = String(isSaved);
  return row;
}

function setup(data, isNew) {
  const amount = data.get("authorizedAmount");
  return {
    retailer: data.get("retailer").trim(),
    gates: data.get("gates").split("\n").map((line) => line.trim()).filter(Boolean),
    methods: data.getAll("methods"),
    loyalty: data.has("loyalty"),
    storeDefault: data.get("storeDefault") || undefined,
    qrPattern: isNew && !data.get("qrPattern") ? undefined : data.get("qrPattern"),
    strategy: data.get("strategy"),
    chargeCalculation: data.get("chargeCalculation"),
    paymentProcessor: data.get("paymentProcessor"),
    authorizedAmount: amount === "" ? null : Number(amount),
    badgeChannel: data.get("badgeChannel"),
    connector: data.get("url").trim() ? connectorSetup(data) : undefined,
  };
}

function connectorSetup(data) {
  const kept = [...document.querySelectorAll("#store-form .header-row")].map((row) => row.dataset.saved === "true");
  const values = data.getAll("headerValue");
  const headers = data.getAll("headerName").map((name, place) => [name.trim(), kept[place] && !values[place] ? null : values[place]]);
  const auth = data.get("auth");
  return { url: data.get("url").trim(), auth, headers: auth === "headers" ? Object.fromEntries(headers) : {} };
}
