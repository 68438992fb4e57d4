// The event stream of the page. Entries arrive together, once in a frame of the screen.

import { joinStream } from "./shared_stream.js";

const HIDDEN_FOR_MS = 5000;
const MOST_WAITING = 5000;
const listeners = new Set();
let stream = null;
let last = null;
let entries = [];
let changes = [];
let missed = 0;
let isScheduled = false;
let hiddenTimer = 0;
let hasJoined = false;

/**
 * Listen to the stream. `kinds` are the kinds of the journal's entries; an empty list means none, `["*"]` means all.
 * `onGap` runs if entries are missed, and each time that the stream opens again: the platform may have started again,
 * with another journal. The listener then reads what it shows again.
 * @param {{kinds?: string[], after?: number, onEntries?: (entries: any[]) => any,
 *   onChanges?: (changes: {method: string, path: string}[]) => any, onGap?: () => any,
 *   onState?: (state: "connecting"|"live"|"lost") => any}} listener
 * @returns {() => any} stops listening
 */
export function listen(listener) {
  listeners.add(listener);
  if (listener.after !== undefined) last = last === null ? listener.after : Math.min(last, listener.after);
  if (document.readyState === "complete") connect();
  return () => listeners.delete(listener);
}

window.addEventListener("load", () => {
  connect();
  closeIfHidden();
});
window.addEventListener("pagehide", close);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) connect();
  closeIfHidden();
});

function closeIfHidden() {
  window.clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = window.setTimeout(close, HIDDEN_FOR_MS);
}

function connect() {
  if (stream) {
    stream.want(wantedKinds());
    return;
  }
  let isAgain = hasJoined;
  hasJoined = true;
  const onOpen = (missedSome) => {
    open(missedSome || isAgain);
    isAgain = false;
  };
  stream = joinStream(wantedKinds(), () => last, { onOpen, onLost: () => tellState("lost"), onFrame: take });
}

function close() {
  stream?.leave();
  stream = null;
}

function open(missedSome) {
  tellState("live");
  if (missedSome) for (const listener of listeners) listener.onGap?.();
}

function take(name, data, id) {
  const content = JSON.parse(data);
  if (name === "gap") missed += content.missed;
  else if (name === "changes") changes.push(...content);
  else {
    last = Number(id);
    entries.push(...content);
    if (entries.length > MOST_WAITING) {
      missed += entries.length - MOST_WAITING;
      entries = entries.slice(-MOST_WAITING);
    }
  }
  schedule();
}

function wantedKinds() {
  const all = [...listeners].flatMap((listener) => listener.kinds ?? []);
  if (all.includes("*")) return "";
  return [...new Set(all)].sort().join(",") || "none";
}

function tellState(state) {
  for (const listener of listeners) listener.onState?.(state);
}

function schedule() {
  if (isScheduled) return;
  isScheduled = true;
  // a hidden page has no frames
  if (document.hidden) window.setTimeout(deliver, 100);
  else window.requestAnimationFrame(deliver);
}

function deliver() {
  isScheduled = false;
  const [someEntries, someChanges, someMissed] = [entries, changes, missed];
  [entries, changes, missed] = [[], [], 0];
  for (const listener of listeners) {
    if (someMissed) listener.onGap?.();
    const wanted = listener.kinds?.includes("*") ? someEntries : someEntries.filter((entry) => listener.kinds?.includes(entry.kind));
    if (wanted.length) listener.onEntries?.(wanted);
    if (someChanges.length) listener.onChanges?.(someChanges);
  }
}
