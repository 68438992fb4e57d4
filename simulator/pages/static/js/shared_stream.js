// One event stream for all tabs of this origin, as browsers open few connections to a host. A lock elects the tab that
// opens it. That tab sends each frame to the others, and when it closes, another tab follows. If it hangs, it sends no
// beats, and another tab takes the lock. A browser without locks or channels, or that denies locks, opens a stream for
// each tab.

const NAME = "jwo-events";
const COLLECT_MS = 60;
const RETRY_MS = 3000;
const BEAT_MS = 2000;
const SILENT_BEATS = 3;
const FRAMES = ["entries", "changes", "gap"];

/**
 * @typedef {{onOpen: (missed: boolean) => any, onLost: () => any, onFrame: (event: string, data: string, id: string) => any}} Receiver
 * `missed`: entries may have been missed since this tab asked, or since the stream was open last.
 */

/**
 * Join the stream.
 * @param {string} kinds as `GET /events` takes them
 * @param {() => number|null} last returns the number of the last entry that this tab has
 * @param {Receiver} receiver
 */
export function joinStream(kinds, last, receiver) {
  const canShare = "locks" in window.navigator && "BroadcastChannel" in window;
  return canShare ? new SharedStream(kinds, last, receiver) : new OwnStream(kinds, last, receiver);
}

/** A stream of this tab. */
class OwnStream {
  constructor(kinds, last, receiver) {
    this.kinds = kinds;
    this.last = last;
    this.receiver = receiver;
    this.source = null;
    this._open(false);
  }

  /** Ask for other kinds. */
  want(kinds, missed = true) {
    if (kinds === this.kinds) return;
    this.kinds = kinds;
    this._open(missed);
  }

  leave() {
    window.clearTimeout(this.retry);
    this.source?.close();
  }

  _open(missed) {
    this.leave();
    const after = this.last();
    const query = new URLSearchParams({ kinds: this.kinds, ...(after === null ? {} : { after: String(after) }) });
    const source = new EventSource(`/events?${query}`);
    let isAgain = missed;
    this.source = source;
    source.addEventListener("open", () => {
      this.receiver.onOpen(isAgain);
      isAgain = true;
    });
    source.addEventListener("error", () => {
      isAgain = true;
      this.receiver.onLost();
      // after a refused request the browser does not try again by itself
      if (source.readyState === EventSource.CLOSED) this.retry = window.setTimeout(() => this._open(true), RETRY_MS);
    });
    for (const name of FRAMES) source.addEventListener(name, ({ data, lastEventId }) => this.receiver.onFrame(name, data, lastEventId));
  }
}

/** A stream that this tab opens for all tabs, or receives from another tab. */
class SharedStream {
  constructor(kinds, last, receiver) {
    this.tab = window.crypto.randomUUID();
    this.request = { kinds, number: 1 };
    this.answered = 0;
    this.last = last;
    this.lastFrame = null;
    this.receiver = receiver;
    this.requests = null; // of all tabs, by tab, if this tab opens the stream
    this.own = null;
    this.isOpen = false;
    this.leader = null; // the tab that opens the stream, if it is another one
    this.silentBeats = 0;
    this.election = null;
    this.channel = new BroadcastChannel(NAME);
    this.channel.addEventListener("message", ({ data }) => this._receive(data));
    this.beats = window.setInterval(() => this._beat(), BEAT_MS);
    this._follow();
  }

  /** Ask for other kinds. */
  want(kinds) {
    if (kinds === this.request.kinds) return;
    this.request = { kinds, number: this.request.number + 1 };
    if (this.requests) this._grant(this.tab, this.request);
    else this._post({ type: "request", request: this.request });
  }

  leave() {
    this._post({ type: "leave" });
    this.channel.close();
    window.clearInterval(this.beats);
    this.election.abort();
    this._close();
    this.release?.();
  }

  /** Wait for the lock, and receive the stream from its holder meanwhile. */
  _follow() {
    this.leader = null;
    this._elect({});
    this._post({ type: "request", request: this.request });
  }

  /** Request the lock, or take it from its holder with `steal`, in place of the request that waits. */
  _elect(options) {
    this.election?.abort();
    const election = new AbortController();
    this.election = election;
    this.silentBeats = 0;
    const ways = options.steal ? options : { signal: election.signal };
    window.navigator.locks.request(NAME, ways, () => this._lead(election.signal)).catch(() => {
      if (election.signal.aborted) return;
      if (!this.requests) {
        this._lead(election.signal); // the browser denies locks, as with blocked cookies
        return;
      }
      // another tab took the lock, as this one did not run for a while: it missed frames, so its page reads again
      this.request = { ...this.request, number: this.request.number + 1 };
      this._close();
      this._follow();
    });
  }

  /** As the holder of the lock show that this tab runs, or else notice that the holder does not. */
  _beat() {
    if (this.requests) this._post({ type: "beat" });
    else if (++this.silentBeats > SILENT_BEATS) this._elect({ steal: true });
  }

  _close() {
    window.clearTimeout(this.opening);
    this.own?.leave();
    this.own = null;
    this.requests = null;
    this.isOpen = false;
  }

  _post(message) {
    this.channel.postMessage({ ...message, tab: this.tab });
  }

  _receive(message) {
    if (this.requests) {
      if (message.type === "request") this._grant(message.tab, message.request);
      if (message.type === "leave") this.requests.delete(message.tab);
      return;
    }
    if (message.type === "request" || message.type === "leave") {
      if (message.tab === this.leader) this.leader = null;
      return;
    }
    if (message.type === "asked") this.leader = message.tab;
    this.leader ??= message.tab;
    if (message.tab !== this.leader) return; // it held the lock before, and does not know yet that it lost it
    this.silentBeats = 0;
    if (message.type === "asked") this._post({ type: "request", request: this.request });
    if (message.type === "open") this._takeOpen(message.missed, message.numbers[this.tab] ?? 0);
    if (message.type === "lost") this.receiver.onLost();
    if (message.type === "frame") this._takeFrame(message.name, message.data, message.id);
  }

  _takeFrame(name, data, id) {
    if (name === "entries") this.lastFrame = Number(id);
    this.receiver.onFrame(name, data, id);
  }

  /** The stream is open with the kinds of the request of that number. */
  _takeOpen(missed, number) {
    if (number < this.request.number) return;
    const isNew = this.answered < number;
    this.answered = number;
    if (isNew || missed) this.receiver.onOpen(true);
  }

  /** Open the stream for all tabs, until this tab leaves or loses the lock. */
  _lead(signal) {
    if (signal.aborted) return undefined;
    const followsAnother = this.answered > 0;
    this.requests = new Map([[this.tab, this.request]]);
    this._post({ type: "asked" });
    // the other tabs say what they want, so that the stream is opened once
    this.opening = window.setTimeout(() => this._open(followsAnother), followsAnother ? COLLECT_MS : 0);
    return new Promise((resolve) => (this.release = resolve));
  }

  _open(missed) {
    let hasMissed = missed;
    this.own = new OwnStream(unite(this.requests), () => this.lastFrame ?? this.last(), {
      onOpen: (again) => {
        this.isOpen = true;
        this._tellOpen(again || hasMissed);
        hasMissed = false;
      },
      onLost: () => {
        this.isOpen = false;
        this._post({ type: "lost" });
        this.receiver.onLost();
      },
      onFrame: (name, data, id) => {
        this._post({ type: "frame", name, data, id });
        this._takeFrame(name, data, id);
      },
    });
  }

  _tellOpen(missed) {
    const numbers = Object.fromEntries([...this.requests].map(([tab, { number }]) => [tab, number]));
    this._post({ type: "open", missed, numbers });
    this._takeOwnOpen(missed);
  }

  /** As `_takeOpen`. The first request of this tab has opened the stream, so that nothing is missed. */
  _takeOwnOpen(missed) {
    const isNew = this.answered < this.request.number && this.request.number > 1;
    this.answered = this.request.number;
    this.receiver.onOpen(missed || isNew);
  }

  _grant(tab, request) {
    this.requests.set(tab, request);
    if (!this.own) return; // the stream opens soon, with this request
    const kinds = unite(this.requests);
    if (covers(this.own.kinds, kinds)) {
      if (this.isOpen && tab === this.tab) this._takeOwnOpen(false);
      if (this.isOpen && tab !== this.tab) this._post({ type: "open", missed: false, numbers: { [tab]: request.number } });
      return;
    }
    this.isOpen = false;
    this.own.want(kinds, this.lastFrame === null);
  }
}

function unite(requests) {
  const texts = [...requests.values()].map(({ kinds }) => kinds);
  if (texts.includes("")) return "";
  const names = new Set(texts.flatMap((text) => text.split(",")).filter((name) => name !== "none"));
  return [...names].sort().join(",") || "none";
}

function covers(open, wanted) {
  if (open === "" || wanted === "none" || open === wanted) return true;
  const names = new Set(open.split(","));
  return wanted !== "" && wanted.split(",").every((name) => names.has(name));
}
