// The event stream: one EventSource for the page. Entries arrive together, once in a frame of the screen.

import { ApiError } from "./api.js";

const HIDDEN_FOR_MS = 5000;
const MOST_WAITING = 5000;
const RETRY_MS = 3000;
const listeners = new Set();
let source = null;
let openKinds = "";
let last = null;
let entries = [];
let changes = [];
let missed = 0;
let isScheduled = false;
let hiddenTimer = 0;
let mayHaveMissed = false;

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

window.addEventListener("load", connect);
window.addEventListener("pagehide", lose);
window.addEventListener("online", () => {
  lose(); // the stream may wait for seconds, or for ever: a network can go and come without an error
  connect();
});
document.addEventListener("visibilitychange", () => {
  window.clearTimeout(hiddenTimer);
  if (document.hidden) hiddenTimer = window.setTimeout(lose, HIDDEN_FOR_MS); // browsers open few connections to a host
  else connect();
});

function connect() {
  const kinds = wantedKinds();
  if (source && source.readyState !== EventSource.CLOSED && kinds === openKinds) return;
  close();
  openKinds = kinds;
  const query = new URLSearchParams({ kinds, ...(last === null ? {} : { after: String(last) }) });
  source = new EventSource(`/events?${query}`);
  source.addEventListener("open", () => {
    tellState("live");
    if (mayHaveMissed) for (const listener of listeners) readAgain(listener);
    mayHaveMissed = false;
  });
  source.addEventListener("error", () => {
    mayHaveMissed = true;
    tellState("lost");
    // after a refused request the browser does not try again by itself
    if (source?.readyState === EventSource.CLOSED) window.setTimeout(connect, RETRY_MS);
  });
  source.addEventListener("entries", (event) => {
    last = Number(event.lastEventId);
    entries.push(...JSON.parse(event.data));
    if (entries.length > MOST_WAITING) {
      missed += entries.length - MOST_WAITING;
      entries = entries.slice(-MOST_WAITING);
    }
    schedule();
  });
  source.addEventListener("changes", (event) => {
    changes.push(...JSON.parse(event.data));
    schedule();
  });
  source.addEventListener("gap", (event) => {
    missed += JSON.parse(event.data).missed;
    schedule();
  });
}

function close() {
  source?.close();
  source = null;
}

function lose() {
  mayHaveMissed = true;
  close();
}

/** Run a listener's `onGap`, and again as long as it cannot reach the platform while the same stream is live. */
async function readAgain(listener, stream = source) {
  try {
    await listener.onGap?.();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status) throw error;
    window.setTimeout(() => {
      if (stream === source && stream?.readyState === EventSource.OPEN) readAgain(listener);
    }, RETRY_MS);
  }
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
    if (someMissed) readAgain(listener);
    const wanted = listener.kinds?.includes("*") ? someEntries : someEntries.filter((entry) => listener.kinds?.includes(entry.kind));
    if (wanted.length) listener.onEntries?.(wanted);
    if (someChanges.length) listener.onChanges?.(someChanges);
  }
}
