// The members that a case expects of the answer: those of the exchange's own answer to choose from, and more to add.

import { button, fill, h } from "../dom.js";

const HIDDEN = "***";
const MOST_ROWS = 30;

/** A list of rows: chosen or not, a path such as visitorDetails.type, and a value as JSON or as a plain text. */
export class ExpectedMembers {
  /** @param {HTMLElement} element @param {() => any} onChange */
  constructor(element, onChange) {
    this.rows = h("ul", { class: "expected-members" });
    this.rows.addEventListener("input", onChange);
    fill(element, this.rows, button("Add a member", { iconName: "plus", kind: "quiet", onClick: () => this._add([], undefined, true).querySelector("[name=path]").focus() }));
  }

  /** Offer the members of an answer; none of them is chosen. */
  offer(answer) {
    fill(this.rows);
    for (const [path, value] of leaves(answer).slice(0, MOST_ROWS)) this._add(path, value, false);
  }

  /** @returns {object} the chosen members with their values @throws {Error} if a path is used twice or is empty */
  read() {
    const found = {};
    for (const row of this.rows.children) {
      const [box, path, value] = row.querySelectorAll("input");
      if (!box.checked || (!path.value && !value.value)) continue;
      put(found, row.names ?? path.value.trim().split("."), valueOf(value.value));
    }
    return found;
  }

  _add(names, value, isOwn) {
    const path = names.join(".");
    const row = h("li", {},
      h("input", { type: "checkbox", checked: isOwn, "aria-label": `Expect ${path || "this member"}` }),
      h("input", { name: "path", value: path, readonly: !isOwn, autocomplete: "off", placeholder: "visitorDetails.type", "aria-label": "Member of the answer" }),
      h("input", { name: "value", value: value === undefined ? "" : textOf(value), autocomplete: "off", placeholder: "value", "aria-label": path ? `Value of ${path}` : "Value" }));
    row.names = isOwn ? null : names;
    this.rows.append(row);
    return row;
  }
}

/** List the members that are no objects, with their paths; hidden values and nulls cannot be expected. */
function leaves(value, path = []) {
  if (value === null || value === HIDDEN) return [];
  if (typeof value !== "object" || Array.isArray(value)) return path.length ? [[path, value]] : [];
  return Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]));
}

function put(found, names, value) {
  let place = found;
  for (const name of names.slice(0, -1)) {
    if (!Object.hasOwn(place, name)) Object.defineProperty(place, name, { value: {}, enumerable: true });
    place = place[name];
    if (typeof place !== "object" || Array.isArray(place)) throw new Error(`${names.join(".")} is inside of another value; choose one of them`);
  }
  const last = names.at(-1);
  if (!names.every(Boolean)) throw new Error("write a member such as visitorDetails.type, with a name at each side of a dot");
  if (Object.hasOwn(place, last)) throw new Error(`${names.join(".")} is in the list twice; remove one of them`);
  Object.defineProperty(place, last, { value, enumerable: true });
}

/** Numbers, true, false, lists and quoted texts are JSON; any other text is taken as it is. */
function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Write a value so that `valueOf` reads the same value. */
function textOf(value) {
  const text = JSON.stringify(value);
  return typeof value === "string" && valueOf(value) === value ? value : text;
}
