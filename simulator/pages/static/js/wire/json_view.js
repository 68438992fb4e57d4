// A body for readers: pretty JSON with its problems marked at their members. A long body is cut until it is asked for.

import { button, fill, h } from "../dom.js";

const MOST_LINES = 400;
const LONGEST_LINE = 2000;

/**
 * @param {any} body JSON, or text
 * @param {{path: string, message: string}[]} problems
 * @returns {HTMLElement}
 */
export function bodyView(body, problems = []) {
  if (body === "" || body === null || body === undefined) return h("p", { class: "muted small" }, "No body");
  const lines = typeof body === "string" ? body.split("\n").map((text) => ({ text, path: null })) : linesOf(body);
  const places = placeProblems(lines, problems);
  const view = h("div", { class: "body-view" });
  show(view, lines, places, MOST_LINES);
  return view;
}

/** @param {any} body @returns {string} */
export function pretty(body) {
  return typeof body === "string" ? body : JSON.stringify(body, null, 2);
}

function show(view, lines, places, most) {
  const shown = lines.slice(0, most).map((line, number) => lineElement(line.text, places.get(number)));
  const rest = lines.length - shown.length;
  fill(view, h("pre", { tabindex: 0, role: "region", "aria-label": "Body" }, h("bdi", {}, shown)),
    rest > 0 ? button(`Show ${rest} more lines`, { kind: "quiet", onClick: () => show(view, lines, places, lines.length) }) : null);
}

function lineElement(text, messages) {
  const cut = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)} … (${text.length} characters)` : text;
  if (!messages) return `${cut}\n`;
  return [h("mark", {}, cut), h("span", { class: "body-problem" }, ` ← ${messages.join("; ")}`), "\n"];
}

/** Return the lines of pretty JSON with the path of the member that begins on each. */
function linesOf(body) {
  const lines = [];
  write(lines, body, "", "", "", "");
  return lines;
}

function write(lines, value, path, indent, label, end) {
  if (value === null || typeof value !== "object" || !Object.keys(value).length) {
    lines.push({ text: `${indent}${label}${JSON.stringify(value)}${end}`, path });
    return;
  }
  const isList = Array.isArray(value);
  const names = Object.keys(value);
  lines.push({ text: `${indent}${label}${isList ? "[" : "{"}`, path });
  names.forEach((name, number) => {
    const inner = isList ? `${path}[${name}]` : `${path}.${name}`.replace(/^\./, "");
    write(lines, value[name], inner, `${indent}  `, isList ? "" : `${JSON.stringify(name)}: `, number < names.length - 1 ? "," : "");
  });
  lines.push({ text: `${indent}${isList ? "]" : "}"}${end}`, path: null });
}

/** Put each problem on the line of its member, or of the nearest member around it that exists. */
function placeProblems(lines, problems) {
  const byPath = new Map(lines.map((line, number) => [line.path, number]).reverse());
  const places = new Map();
  for (const { path, message } of problems) {
    let place = path;
    while (place && !byPath.has(place)) place = place.replace(/(\.[^.[]*|\[\d+\]|^[^.[]+)$/, "");
    const number = byPath.get(place) ?? 0;
    places.set(number, [...(places.get(number) ?? []), message]);
  }
  return places;
}
