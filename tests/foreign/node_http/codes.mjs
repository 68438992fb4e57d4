// Codes of the Node connector: kind, time of issue and a random part, with a MAC over the three; the connector stores no code.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const SECRET = "a sample secret of a sample shop";
const mac = (text) => createHmac("sha256", SECRET).update(text).digest("hex").slice(0, 32);

export function write(kind, issuedAt) {
  const text = `${kind}.${issuedAt.toString(36)}.${randomBytes(9).toString("hex")}`;
  return Buffer.from(`${text}.${mac(text)}`).toString("base64");
}

/** Writes a new code of a kind; an expired one is ten minutes old. */
export function writeAged(kind) {
  const age = kind === "expired" ? 10 * 60 * 1000 : 0;
  return write(kind === "expired" ? "shopper" : kind, Date.now() - age);
}

export function read(identityKey) {
  const parts = Buffer.from(identityKey, "base64").toString("latin1").split(".");
  if (parts.length !== 4) return null;
  const expected = Buffer.from(mac(parts.slice(0, 3).join(".")));
  const given = Buffer.from(parts[3], "latin1");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  return { kind: parts[0], issuedAt: parseInt(parts[1], 36), serial: parts[2] };
}
