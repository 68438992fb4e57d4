// The event stream of the page. Entries arrive together, once in a frame of the screen.

import { ApiError } from "./api.js";
import { joinStream } from "./shared_stream.js";

const HIDDEN_FOR_MS = 5000;
const MOST_WAITING = 5000;
const RETRY_MS = 3000;
const listeners = new Set();
let stream = null;
let last = null;
let entries = [];
let changes = [];
let missed = 0;
let isScheduled = false;
let hiddenTimer = 0;
let hasJoined = false;
let isLive = false;

/**
 * Listen to the stream. `kinds` are the kinds of the journal's entries; an empty list means none, `["*"]` means all.
 * `onGap` runs if entries are missed, and each time that the stream opens after it was closed or lost: the platform may
 * have started again, with another journal. The listener then reads what it shows again. It runs again if its call fails
 * although the stream is live.
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
window.addEventListener("online", () => {
  close(); // the stream may wait for seconds, or for ever: a network can go and come without an error
  connect();
});
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
  if (missedSome) for (const listener of listeners) readAgain(listener);
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

/** Run a listener's `onGap`, and again as long as it cannot reach the platform while the same stream is live. */
async function readAgain(listener, sameStream = stream) {
  try {
    await listener.onGap?.();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status) throw error;
    window.setTimeout(() => {
      if (sameStream === stream && isLive) readAgain(listener);
    }, RETRY_MS);
  }
}

function wantedKinds() {
  const all = [...listeners].flatMap((listener) => listener.kinds ?? []);
  if (all.includes("*")) return "";
  return [...new Set(all)].sort().join(",") || "none";
}

function tellState(state) {
  isLive = state === "live";
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
    if (someMissed) readAgain(listener);
    const wanted = listener.kinds?.includes("*") ? someEntries : someEntries.filter((entry) => listener.kinds?.includes(entry.kind));
    if (wanted.length) listener.onEntries?.(wanted);
    if (someChanges.length) listener.onChanges?.(someChanges);
  }
}
