// Times and durations for readers. Every time of day is in UTC, as on the wire.

/** @param {string} instant ISO 8601 @returns {string} 14:05:09 */
export function clockTime(instant) {
  return new Date(instant).toISOString().slice(11, 19);
}

/** @param {string} instant ISO 8601 @returns {string} 2026-02-03 14:05:09 UTC */
export function fullTime(instant) {
  return `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** @param {number|null|undefined} ms @returns {string} 84 ms or 1.24 s */
export function duration(ms) {
  if (ms === null || ms === undefined) return "";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** The platform's clock in this page, which runs at the platform's speed between two answers of GET /clock. */
export class PlatformTime {
  constructor() {
    this.speed = 1;
    this.at = Date.now();
    this.since = performance.now();
  }

  /** @param {{now: string, speed: number|null}} shown the answer of GET /clock */
  set(shown) {
    this.at = Date.parse(shown.now);
    this.speed = shown.speed ?? 1;
    this.since = performance.now();
  }

  /** @returns {Date} */
  now() {
    return new Date(this.at + (performance.now() - this.since) * this.speed);
  }
}
