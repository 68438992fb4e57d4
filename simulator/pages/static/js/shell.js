// The frame of every page: the platform's clock, the state of the event stream, and the switch of the theme.

import { ApiError, del, get } from "./api.js";
import { setText } from "./dom.js";
import { listen } from "./events.js";
import { PlatformTime } from "./time.js";

const STATES = { connecting: "Connecting", live: "Live", lost: "Connection lost" };
const time = new PlatformTime();
const shownTime = document.getElementById("platform-time");
const shownSpeed = document.getElementById("platform-speed");

async function readClock() {
  const clock = await get("/clock", { quiet: true }).catch(() => null);
  if (!clock) return;
  time.set(clock);
  shownSpeed.hidden = time.speed === 1;
  setText(shownSpeed, time.speed ? `${time.speed} ×` : "stopped");
  tick();
}

function tick() {
  const now = time.now().toISOString();
  setText(shownTime, now.slice(11, 19));
  shownTime.setAttribute("datetime", now);
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  window.localStorage.setItem("theme", root.dataset.theme);
}

document.getElementById("theme-toggle").addEventListener("click", switchTheme);
document.getElementById("sign-out")?.addEventListener("click", async () => {
  await del("/ui/session");
  window.sessionStorage.clear();
  window.location.assign("/ui/sign-in");
});
// a failed call has shown its problem, so it is no fault of the page
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof ApiError) event.preventDefault();
});
document.querySelector('.menu [aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" });
listen({
  onState: (state) => {
    const element = document.getElementById("link-state");
    element.dataset.state = state;
    setText(document.getElementById("link-state-text"), STATES[state]);
    if (state === "live") readClock();
  },
  onChanges: (changes) => {
    if (changes.some(({ path }) => path === "/clock")) readClock();
  },
});
window.setInterval(tick, 1000);
