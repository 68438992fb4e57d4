// Builds labelled fields and dialogs with a form. A refused call shows its problem and leaves the dialog open.

import { button, fill, h, icon } from "./dom.js";

let number = 0;

/**
 * Make a labelled control.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [hint]
 */
export function field(label, control, hint = "") {
  control.id ||= `field-${(number += 1)}`;
  const note = hint ? h("span", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, note);
}

/** Make a select from pairs of value and text. */
export function select(name, options, value = "") {
  const control = h("select", { name }, options.map(([each, text]) => h("option", { value: each }, text)));
  control.value = value;
  return control;
}

/** Make a check box with its text. */
export function choice(name, value, text, checked) {
  return h("label", { class: "choice" }, h("input", { type: "checkbox", name, value, checked }), h("span", {}, text));
}

/** A dialog with a form; `save` gets the form's data and closes the dialog unless it throws. */
export class FormDialog {
  constructor(id, saveLabel) {
    this.title = h("h2", { id: `${id}-title` });
    this.body = h("div", { class: "dialog-body" });
    this.save = async () => {};
    const close = () => this.element.close();
    this.form = h("form", { method: "dialog" },
      h("div", { class: "dialog-header" }, this.title, h("button", { class: "icon-button", type: "button", "aria-label": "Close", on: { click: close } }, icon("close"))),
      this.body,
      h("div", { class: "dialog-actions" }, button("Cancel", { onClick: close }), button(saveLabel, { kind: "primary", iconName: "save", type: "submit" })));
    this.element = h("dialog", { id, "aria-labelledby": `${id}-title` }, this.form);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(new FormData(this.form)).then(close, () => {});
    });
    document.getElementById("main").append(this.element);
  }

  /** @param {string} title @param {any[]} content @param {(data: FormData) => Promise<any>} save */
  open(title, content, save) {
    fill(this.title, h("bdi", {}, title));
    fill(this.body, content);
    this.save = save;
    this.element.showModal();
  }
}
