// The ways to show something at the chosen gate: a sample visitor, a typed code, a picture, the camera.

import { at, get, post } from "../api.js";
import { button, fill, h, icon } from "../dom.js";
import { toast } from "../toast.js";
import { duration } from "../time.js";
import { CameraWay } from "./camera.js";

const GROUPS = { "Codes and badges": ["scans", "badges"], "Cards and palms": ["cards", "palms"], "Loyalty cards": ["loyalty-scans"] };
const ICONS = { shopper: "person", associate: "badge", cash_shopper: "cash", stranger: "stranger", expired: "expired", used: "used", refused: "cross" };
const WAY_ICONS = { scans: "phone", badges: "badge", cards: "card", palms: "palm", "loyalty-scans": "star" };
const TYPED = { scans: "Code of the app", badges: "Badge", cards: "Id of a card", palms: "Id of a palm", "loyalty-scans": "Loyalty card" };
const PICTURES = ["image/png", "image/jpeg", "image/gif"];

export class Ways {
  /**
   * @param {(send: () => Promise<any>, what: string) => Promise<any>} present shows something at the gate
   * @param {() => string} chosenGate
   * @param {(...content: any[]) => any} note shows a text at the gate
   */
  constructor(present, chosenGate, note) {
    this.present = present;
    this.chosenGate = chosenGate;
    this.note = note;
    this.camera = new CameraWay(present, chosenGate);
    this.people = h("div", { class: "stack" });
    this.phone = h("a", { class: "button", target: "_blank", rel: "noopener", hidden: true }, icon("phone"), h("span", {}, "Open the phone"));
    this.again = button("The same event again", { iconName: "repeat", onClick: () => this.sendAgain(), title: "The platform sends the last call of this gate once more; a correct connector gives the same answer." });
    const panels = {
      people: ["People", "people", h("div", { class: "stack" }, this.people, h("div", { class: "row" }, this.again, this.phone))],
      typing: ["Type", "keyboard", this._typing()],
      picture: ["Picture", "image", this._picture()],
      camera: ["Camera", "camera", this.camera.element],
    };
    this.tabs = Object.entries(panels).map(([name, [label, iconName, panel]]) => this._tab(name, label, iconName, panel));
    this.element = h("section", { class: "card stack", "aria-label": "Show something at the gate" },
      h("div", { class: "tabs", role: "tablist", "aria-label": "Ways to scan", on: { keydown: (event) => this._moveTab(event) } }, this.tabs.map((tab) => tab.button)),
      this.tabs.map((tab) => tab.panel));
    this._open("people");
  }

  /** Read the kinds of sample visitors. */
  async read() {
    const shown = await get("/samples");
    this.samples = shown.visitors;
    this.phone.hidden = !shown.appUrl;
    if (shown.appUrl) this.phone.href = shown.appUrl;
    fill(this.people, Object.entries(GROUPS).map(([title, ways]) => {
      const members = this.samples.filter((one) => ways.includes(one.way));
      return members.length ? h("div", { class: "stack", "data-gap": "small" }, h("h3", {}, title), h("div", { class: "samples" }, members.map((one) => this._sample(one)))) : null;
    }));
  }

  /** Show a sample visitor at the chosen gate. */
  async showSample(sample) {
    const gate = this.chosenGate();
    return this.present(async () => {
      const body = await post(at`/samples/${sample.kind}`);
      return post(at`/gates/${gate}/${sample.way}`, body);
    }, sample.label);
  }

  /** Send the last call of the chosen gate once more, and compare the answers. */
  async sendAgain() {
    const gate = this.chosenGate();
    const [last] = await get(`/journal?${new URLSearchParams({ kind: "exchange", gate, limit: "1" })}`);
    if (!last) {
      toast("info", "This gate has made no call yet", "Scan a code first: then the same event can be sent again.");
      return;
    }
    const sent = await post(at`/journal/${last.seq}/resend`, {});
    const isSame = JSON.stringify(sent.response?.body) === JSON.stringify(last.response?.body) && sent.response?.status === last.response?.status;
    const status = sent.response ? `status ${sent.response.status}` : sent.failure;
    this.note(h("p", { class: "notice", dataset: { kind: isSame ? "good" : "bad" } }, h("span", {}, h("strong", {}, isSame ? "The same answer again. " : "Another answer than before. "), `Sent the event once more: ${status} in ${duration(sent.elapsedMs)}.`)));
  }

  _sample(sample) {
    return h("button", { class: "sample", type: "button", title: sample.about, on: { click: () => this.showSample(sample) } }, icon(ICONS[sample.kind] ?? WAY_ICONS[sample.way]), h("span", {}, sample.label));
  }

  _typing() {
    const way = h("select", { name: "way" }, Object.entries(TYPED).map(([name, label]) => h("option", { value: name }, label)));
    const text = h("input", { name: "text", autocomplete: "off", spellcheck: "false", required: true, maxlength: 1000 });
    const people = h("input", { name: "people", type: "number", min: 1, max: 50, value: "1" });
    const peopleField = h("label", { class: "field people-field" }, h("span", {}, "People"), people);
    way.addEventListener("change", () => { peopleField.hidden = way.value === "loyalty-scans"; });
    const send = async (event) => {
      event.preventDefault();
      const gate = this.chosenGate();
      const more = way.value === "loyalty-scans" || people.value === "1" ? {} : { people: Number(people.value) };
      const body = way.value === "cards" || way.value === "palms" ? { instrument: text.value, ...more } : { text: text.value, ...more };
      await this.present(() => post(at`/gates/${gate}/${way.value}`, body), TYPED[way.value]);
    };
    return h("form", { class: "stack", "data-gap": "small", on: { submit: send } },
      h("label", { class: "field" }, h("span", {}, "What"), way),
      h("label", { class: "field" }, h("span", {}, "Text"), text),
      peopleField,
      h("div", { class: "row" }, h("button", { class: "button", type: "submit", dataset: { kind: "primary" } }, icon("send"), h("span", {}, "Show it at the gate"))));
  }

  _picture() {
    const input = h("input", { type: "file", accept: PICTURES.join(","), class: "visually-hidden", id: "picture-file" });
    const zone = h("label", { class: "drop-zone", for: "picture-file" }, icon("image"), h("strong", {}, "Drop a picture of a code here"), h("span", { class: "muted small" }, "or choose a file, or paste one with Ctrl-V. PNG, JPEG or GIF."));
    input.addEventListener("change", () => { this._sendPicture(input.files[0]); input.value = ""; });
    for (const name of ["dragover", "dragenter"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.dataset.over = "true"; });
    zone.addEventListener("dragleave", () => { delete zone.dataset.over; });
    zone.addEventListener("drop", (event) => { event.preventDefault(); delete zone.dataset.over; this._sendPicture(event.dataTransfer.files[0]); });
    document.addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])][0];
      if (file) { event.preventDefault(); this._open("picture"); this._sendPicture(file); }
    });
    return h("div", { class: "stack", "data-gap": "small" }, input, zone);
  }

  async _sendPicture(file) {
    if (!file) return;
    if (!PICTURES.includes(file.type)) {
      toast("bad", "This file is not a picture that the reader knows", "Use PNG, JPEG or GIF.");
      return;
    }
    const gate = this.chosenGate();
    await this.present(() => post(at`/gates/${gate}/scans`, file), "A picture of a code");
  }

  _tab(name, label, iconName, panel) {
    const tabId = `way-${name}`;
    const control = h("button", { class: "button", type: "button", role: "tab", id: tabId, "aria-controls": `${tabId}-panel`, dataset: { kind: "quiet" }, on: { click: () => this._open(name) } }, icon(iconName), h("span", {}, label));
    return { name, button: control, panel: h("div", { role: "tabpanel", id: `${tabId}-panel`, "aria-labelledby": tabId }, panel) };
  }

  _open(name) {
    if (name !== "camera") this.camera.close();
    for (const tab of this.tabs) {
      const isOpen = tab.name === name;
      tab.button.setAttribute("aria-selected", String(isOpen));
      tab.button.tabIndex = isOpen ? 0 : -1;
      tab.panel.hidden = !isOpen;
    }
  }

  _moveTab(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = this.tabs.findIndex((tab) => tab.button === document.activeElement);
    const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
    this._open(next.name);
    next.button.focus();
  }
}
