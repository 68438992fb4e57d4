// The platform's clock: its time as it runs, its speed, and moves forward.

import { get, put } from "../api.js";
import { button, fill, setText } from "../dom.js";
import { listen } from "../events.js";
import { PlatformTime } from "../time.js";

const SPEEDS = [["Stop", 0], ["Real time", 1], ["10 ×", 10], ["60 ×", 60], ["600 ×", 600]];
const MOVES = [["1 minute", 60], ["10 minutes", 600], ["1 hour", 3600], ["1 day", 86400]];
const TICK_MS = 100;
const byId = (id) => document.getElementById(id);
const time = new PlatformTime();

async function read() {
  show(await get("/clock"));
}

function show(clock) {
  time.set(clock);
  for (const each of byId("speeds").children) each.setAttribute("aria-pressed", String(Number(each.dataset.speed) === clock.speed));
  setText(byId("clock-state"), clock.speed === null ? "Another process controls this clock." : stateOf(clock.speed));
  tick();
}

function stateOf(speed) {
  if (speed === 0) return "The clock is stopped.";
  return speed === 1 ? "The clock runs in real time." : `The clock runs ${speed} times as fast as real time.`;
}

function tick() {
  const now = time.now();
  setText(byId("clock-time"), now.toISOString().slice(11, 19));
  setText(byId("clock-date"), now.toLocaleDateString("en-GB", { timeZone: "UTC", weekday: "long", day: "numeric", month: "long", year: "numeric" }));
}

const change = (body) => put("/clock", body).then(show, () => {});

fill(byId("speeds"), SPEEDS.map(([label, speed]) => button(label, { "data-speed": speed, "aria-pressed": "false", onClick: () => change({ speed }) })));
fill(byId("moves"), MOVES.map(([label, advanceS]) => button(label, { iconName: "plus", onClick: () => change({ advanceS }) })));
byId("speed-form").addEventListener("submit", (event) => {
  event.preventDefault();
  change({ speed: Number(byId("speed").value) });
});
byId("move-form").addEventListener("submit", (event) => {
  event.preventDefault();
  change({ advanceS: Number(byId("move").value) * 60 });
});
listen({ onChanges: (changes) => changes.some(({ path }) => path === "/clock") && read(), onGap: read });
window.setInterval(tick, TICK_MS);
read();
