// Follows one run: its state and its events, as the event stream announces news of it.

import { at, get } from "../api.js";
import { listen } from "../events.js";

const NOT_SOONER_MS = 200;
const ALSO_EVERY_MS = 3000;

/** One run at a time; `onNews` gets the run and the new events, and `isFirst` is true for the first call of a run. */
export class Follower {
  /** @param {(run: any, events: any[], isFirst: boolean) => any} onNews */
  constructor(onNews) {
    this.onNews = onNews;
    this.id = "";
    this.seen = 0;
    this.isReading = false;
    this.isStale = false;
    this.isRunning = false;
    listen({ onChanges: (changes) => changes.some(({ path }) => path === `/runs/${this.id}`) && this.read() });
    window.setInterval(() => this.isRunning && this.read(), ALSO_EVERY_MS);
  }

  /** @param {string} id an empty text follows none */
  follow(id) {
    this.id = id;
    this.seen = 0;
    this.isRunning = false;
    if (id) this.read();
  }

  async read() {
    if (this.isReading) {
      this.isStale = true;
      return;
    }
    this.isReading = true;
    const { id, seen } = this;
    const run = id ? await get(`${at`/runs/${id}`}?after=${seen}`, { quiet: true }).catch(() => null) : null;
    if (run && id === this.id) {
      this.seen = run.eventCount;
      this.isRunning = run.state === "running";
      this.onNews(run, run.events, seen === 0);
    }
    window.setTimeout(() => {
      this.isReading = false;
      if (this.isStale || id !== this.id) {
        this.isStale = false;
        this.read();
      }
    }, NOT_SOONER_MS);
  }
}
