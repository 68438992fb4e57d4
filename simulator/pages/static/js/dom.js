// Builds and updates elements. Text from anywhere becomes text nodes only, so it can never become markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. Members of `props`: `class`, `dataset`, `on` (listeners by event name), properties of booleans, and
 * attributes; undefined, null and false leave an attribute out.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node|string|number|null|undefined|false|Array<any>)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "value") element.value = value;
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

/** Append children, also those in arrays; leave out null, undefined and false. */
export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Replace the children of an element. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/** Make an icon of the sprite in the page, so that it needs no call. It is decoration: the text beside it says what it means. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Make a text of a stranger: its direction cannot change the text around it. `title` shows what is cut. */
export function foreign(text, props = {}) {
  return h("bdi", { title: text, ...props }, text);
}

/** Return a sentence in which a stranger's text has no marks of direction: they would turn the rest of the sentence. */
export function oneDirection(sentence) {
  return sentence.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** Replace the children of an element if they are made from other data than before, so that focus and open parts stay. */
export function fillIfNew(parent, data, make) {
  const key = JSON.stringify(data);
  if (parent.madeFrom === key) return;
  parent.madeFrom = key;
  fill(parent, make());
}

/** Set a text only if it differs, so that nothing is laid out again without need. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Update the children of a container from items: each item keeps its element by its key, and moves only if it must. The
 * key holds all that `update` does not show again: after a restart, the platform gives its numbers to other things.
 * @template T
 * @param {HTMLElement} container
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => HTMLElement} create
 * @param {(element: HTMLElement, item: T) => any} [update]
 */
export function keyed(container, items, keyOf, create, update) {
  const known = container.keyedElements ?? (container.keyedElements = new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, element] of known) {
    if (!wanted.has(key)) {
      element.remove();
      known.delete(key);
    }
  }
  let place = container.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = known.get(key);
    if (!element) {
      element = create(item);
      known.set(key, element);
    }
    if (update) update(element, item);
    if (element === place) place = place.nextElementSibling;
    else container.insertBefore(element, place);
  }
}

/** Make an empty state: an icon, a title, what to do, and actions. */
export function emptyState(iconName, title, text, ...actions) {
  return h("div", { class: "empty" }, icon(iconName), h("h2", {}, title), h("p", {}, text), actions.length ? h("div", { class: "row" }, actions) : null);
}

/** Make a button with an icon and a text. */
export function button(label, { iconName = "", kind = "", onClick = undefined, ...props } = {}) {
  return h("button", { class: "button", type: "button", dataset: kind ? { kind } : {}, on: onClick ? { click: onClick } : {}, ...props }, iconName ? icon(iconName) : null, h("span", {}, label));
}
