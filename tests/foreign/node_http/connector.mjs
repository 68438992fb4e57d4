// A conformant connector on Node's own http module, without a framework. Its codes open one gate once, and expire.
// It accepts only calls signed with the shop's AWS key. It writes its decisions to a journal and reads them after a restart; it needs a moment to start.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { read, writeAged } from "./codes.mjs";
import { isSigned } from "./sigv4.mjs";

const STORES = new Set(["köln-südstadt"]);
const PEOPLE = { shopper: "SHOPPER", associate: "ASSOCIATE", cash_shopper: "CASH_SHOPPER" };
const OLDEST_MS = 90_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const WARMS_UP_MS = 600;
const tables = { decisions: new Map(), spent: new Map(), purchases: new Map() };
const { decisions, spent, purchases } = tables;

const journal = process.env.JOURNAL;
if (journal && existsSync(journal)) {
  for (const line of readFileSync(journal, "utf8").split("\n").filter(Boolean)) {
    const [table, key, value] = JSON.parse(line);
    tables[table].set(key, value);
  }
}

function keep(table, key, value) {
  if (journal) appendFileSync(journal, JSON.stringify([table, key, value]) + "\n");
  tables[table].set(key, value);
}

class Invalid extends Error {}
const demand = (holds) => { if (!holds) throw new Invalid(); };
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const length = (text) => [...text].length;

function text(value, { optional = false, most = 255, matches = null, among = null } = {}) {
  if (value === undefined || value === null) { demand(optional); return; }
  demand(typeof value === "string" && length(value) <= most && (optional || value !== ""));
  demand(!matches || matches.test(value));
  demand(!among || among.includes(value));
}

function instant(value, optional = false) {
  text(value, { optional, matches: INSTANT });
  const time = Date.parse(value);
  demand((optional && value == null) || (!Number.isNaN(time) && existsInCalendar(value)));
  return time;
}

/** Date.parse moves 30 February into March, so the day is compared with the calendar. */
function existsInCalendar(value) {
  const [year, month, day] = value.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}

function object(value, optional = false) {
  demand(isObject(value) || (optional && value == null));
  return value ?? {};
}

function list(value, optional = false) {
  demand(Array.isArray(value) || (optional && value == null));
  return value ?? [];
}

function envelope(body) {
  demand(isObject(body));
  text(body.requestId, { matches: UUID });
  text(body.storeId);
  demand(STORES.has(body.storeId));
}

function scan(body) {
  envelope(body);
  text(body.identityKey, { most: 1000, matches: BASE64 });
  const event = object(body.authEvent);
  text(event.id, { matches: UUID });
  const at = instant(event.timestamp);
  text(event.location, { among: ["ENTRY"] });
  text(body.keyChannel, { optional: true, among: ["OPTICAL", "CONTACT", "RADIO"] });
  if (!decisions.has(event.id)) keep("decisions", event.id, decide(read(body.identityKey), event.id, at));
  return decisions.get(event.id);
}

function decide(code, eventId, at) {
  const refused = [401, { errorMsg: "not today" }];
  if (!code || !(code.kind in PEOPLE) || at - code.issuedAt > OLDEST_MS) return refused;
  if ((spent.get(code.serial) ?? eventId) !== eventId) return refused;
  keep("spent", code.serial, eventId);
  return [200, { visitorDetails: { id: `${code.kind}:${code.serial}`, type: PEOPLE[code.kind] } }];
}

function cart(body) {
  envelope(body);
  text(body.idempotentShoppingTripId);
  const trip = object(body.shoppingTrip);
  demand(instant(trip.startTime) <= instant(trip.endTime));
  list(trip.authEvents).forEach(checkEvent);
  text(object(body.shopperIdentity, true).id, { optional: true });
  text(body.shopperDeviceId, { optional: true });
  text(object(body.paymentSource, true).id, { optional: true, most: 10_000 });
  const lines = list(body.cartItems);
  lines.forEach(checkLine);
  const named = lines.map((line) => line.lineItemId).filter(Boolean);
  demand(new Set(named).size === named.length);
  const known = purchases.get(body.idempotentShoppingTripId);
  const id = known ?? (lines.length ? String(700_000_000_000 + purchases.size) : "");
  if (known === undefined) keep("purchases", body.idempotentShoppingTripId, id);
  return [201, { purchaseId: id }];
}

function checkEvent(event) {
  object(event);
  text(event.id, { matches: /^[0-9a-zA-Z_.-]+$/ });
  instant(event.timestamp, true);
  text(event.location, { optional: true, among: ["ENTRY", "EXIT", "MANUAL_IN_STORE"] });
  text(event.payloadType, { among: ["FINANCIAL", "SCAN_CODE"] });
  const result = object(event.scanResult, true);
  text(result.id, { optional: true });
  text(result.type, { optional: true, among: ["SHOPPER", "ASSOCIATE", "CASH", "CASH_SHOPPER", "LOYALTY"] });
}

function checkLine(line) {
  object(line);
  text(line.id);
  text(line.type, { among: ["SKU", "SCANCODE"] });
  const quantity = object(line.quantity);
  text(quantity.value, { most: 10, matches: /^[0-9]+(?:\.[0-9]+)?$/ });
  text(quantity.unit, { most: 10_000 });
  text(line.lineItemId, { optional: true });
  for (const identifier of list(line.externalIdentifiers, true)) {
    object(identifier);
    text(identifier.id, { optional: true });
    text(identifier.type, { optional: true, among: ["UPC", "EAN", "EAN8", "ISBN", "GTIN", "PLU"] });
  }
}

const routes = { "/v1/identity/identity-keys": scan, "/v1/order/purchases": cart };

const CALLER = { id: "AKIDOFTHEPLATFORM", secret: process.env.SHOP_KEY, token: process.env.SHOP_TOKEN, region: "eu-central-1", service: "execute-api" };

function answer(request, body) {
  if (request.method === "GET" && request.url.startsWith("/codes/")) return [200, { identityKey: writeAged(request.url.slice(7)) }];
  if (Date.now() < readyAt) return [503, { errorMsg: "warming up" }];
  if (!isSigned(request, body, CALLER)) return [403, { message: "Forbidden" }];
  const raw = body.toString("utf8");
  const route = routes[request.url];
  if (!route) return [404, { errorMsg: "no such path" }];
  if (request.method !== "POST") return [405, { errorMsg: "only POST" }];
  try {
    return route(JSON.parse(raw));
  } catch (error) {
    if (error instanceof Invalid || error instanceof SyntaxError) return [400, { errorMsg: "invalid" }];
    return [500, { errorMsg: "broken" }];
  }
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const [status, body] = answer(request, Buffer.concat(chunks));
    const payload = Buffer.from(JSON.stringify(body));
    response.writeHead(status, { "Content-Type": "application/json", "Content-Length": payload.length });
    response.end(payload);
  });
});
const port = Number(process.env.PORT ?? 0);
const readyAt = Date.now() + (port ? WARMS_UP_MS : 0);
server.listen({ host: "127.0.0.1", port, backlog: 511 }, () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
