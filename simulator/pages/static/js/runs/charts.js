// Two charts of a load test as SVG: the latency of each second on a logarithmic scale, and the requests of each second.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240;
const LOW_HEIGHT = 140;
const MARGIN = { left: 52, right: 12, top: 12, bottom: 26 };
const TICKS_MS = [1, 10, 100, 1000, 10000];
const LOWEST_MS = 0.5;

/** A second with fewer than 100 answers has no p99, and one with fewer than 20 has no p95. */
export const LATENCY_SERIES = [
  { name: "max", label: "longest", of: (one) => one.maxMs },
  { name: "p99", label: "p99", of: (one) => (one.measured >= 100 ? one.p99Ms : null) },
  { name: "p95", label: "p95", of: (one) => (one.measured >= 20 ? one.p95Ms : null) },
  { name: "p50", label: "p50", of: (one) => one.p50Ms },
];
export const RATE_SERIES = [
  { name: "sent", label: "sent" },
  { name: "wrong", label: "late or failed" },
];

/**
 * @param {HTMLElement} container
 * @param {any[]} seconds one element a second
 * @param {number} lastsS the length of the whole run
 * @param {number} budgetMs the limit of an answer
 */
export function drawLatency(container, seconds, lastsS, budgetMs) {
  const highest = Math.max(budgetMs * 2, ...seconds.map((one) => one.maxMs ?? 0));
  const area = makeArea(container, HEIGHT, lastsS);
  const y = (ms) => area.bottom - ((Math.log10(Math.max(ms, LOWEST_MS)) - Math.log10(LOWEST_MS)) / (Math.log10(highest) - Math.log10(LOWEST_MS))) * (area.bottom - area.top);
  for (const tick of TICKS_MS.filter((ms) => ms <= highest)) area.rule(y(tick), tick < 1000 ? `${tick} ms` : `${tick / 1000} s`);
  area.limit(y(budgetMs), `limit ${budgetMs / 1000} s`);
  for (const { name, of } of LATENCY_SERIES) {
    const points = seconds.filter((one) => of(one) !== null).map((one) => [area.x(one.atS), y(of(one))]);
    area.line(points, name);
  }
  const late = seconds.reduce((sum, one) => sum + one.newLate, 0);
  area.show(`Latency of each second. ${late} late answers; the limit is ${budgetMs / 1000} s. The table below has the figures.`);
}

/** Draw a bar for the requests of each second, with the late and failed answers in another color. */
export function drawRates(container, seconds, lastsS) {
  const highest = Math.max(1, ...seconds.map((one) => Math.max(one.sent, one.newLate + one.newFailed)));
  const area = makeArea(container, LOW_HEIGHT, lastsS);
  const y = (count) => area.bottom - (count / highest) * (area.bottom - area.top);
  area.rule(y(0), "0");
  area.rule(y(highest), String(highest));
  for (const one of seconds) {
    area.bar(one.atS, y(one.sent), "sent");
    area.bar(one.atS, y(one.newLate + one.newFailed), "wrong");
  }
  area.show("Requests of each second. The table below has the figures.");
}

function makeArea(container, height, lastsS) {
  const width = Math.max(260, Math.floor(container.clientWidth) || 600);
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const step = (right - left) / Math.max(lastsS, 1);
  const x = (second) => left + (second - 0.5) * step;
  const every = tickStep(lastsS, right - left);
  for (let second = 0; second <= lastsS; second += every) {
    svg.append(element("text", { x: left + second * step, y: height - 8, class: "chart-text", "text-anchor": second ? "middle" : "start" }, `${second} s`));
  }
  const rule = (at, label) => svg.append(
    element("line", { x1: left, x2: right, y1: at, y2: at, class: "chart-rule" }),
    element("text", { x: left - 6, y: at + 4, class: "chart-text", "text-anchor": "end" }, label));
  const limit = (at, label) => svg.append(
    element("line", { x1: left, x2: right, y1: at, y2: at, class: "chart-limit" }),
    element("text", { x: right, y: at - 5, class: "chart-text chart-limit-text", "text-anchor": "end" }, label));
  const line = (points, name) => {
    if (points.length > 1) svg.append(element("polyline", { points: points.map((point) => point.map((value) => value.toFixed(1)).join(",")).join(" "), class: `chart-line chart-${name}` }));
    if (points.length && points.length <= 60) for (const [cx, cy] of points) svg.append(element("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 2.2, class: `chart-dot chart-${name}` }));
  };
  const bar = (second, from, name) => {
    if (bottom - from < 0.1) return;
    const wide = Math.max(1, step - (step > 4 ? 2 : 0));
    svg.append(element("rect", { x: (x(second) - wide / 2).toFixed(1), y: from.toFixed(1), width: wide.toFixed(1), height: (bottom - from).toFixed(1), class: `chart-bar chart-${name}` }));
  };
  const show = (label) => {
    svg.setAttribute("aria-label", label);
    container.replaceChildren(svg);
  };
  return { x, top, bottom, rule, limit, line, bar, show };
}

function tickStep(lastsS, width) {
  const most = Math.max(2, Math.floor(width / 70));
  return [1, 2, 5, 10, 15, 30, 60, 120, 300].find((step) => lastsS / step <= most) ?? 600;
}

function element(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text) made.textContent = text;
  return made;
}
