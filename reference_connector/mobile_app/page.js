"use strict";
const at = (id) => document.getElementById(id);
let base = "", endsAt = 0, lifeS = 1, renewing = false, retryAt = 0, shown = "", owed = "", closedAt = "", timers = [], codes = [];

/* Call the connector. Throw its error text, or `words` if it gives none; after the end of a session, show the sign-in. */
async function ask(path, options, words) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  if (answer.ok) return answer;
  if (answer.status === 401 && base) leave();
  let why = words;
  try { why = (await answer.json()).errorMsg || why; } catch { /* the status says enough */ }
  throw new Error(why);
}

async function renew() {
  const mine = base;
  renewing = true;
  try {
    const answer = await ask(base + "/scan-key.svg", { method: "POST" }, "The code cannot be shown.");
    const picture = await answer.text();
    if (base !== mine) return;
    lifeS = Number(answer.headers.get("X-Expires-In-S"));
    endsAt = performance.now() + lifeS * 1000;
    codes = [answer.headers.get("X-Code") || "", ...codes].slice(0, 2);
    at("symbol").innerHTML = picture.replace(/^<\?xml[^>]*\?>/, "");
    at("symbol").removeAttribute("data-stale");
    at("trouble").hidden = true;
    draw();
  } catch (error) {
    if (base !== mine) return;
    at("trouble").textContent = error.message;
    at("trouble").hidden = false;
    retryAt = performance.now() + 5000;
  } finally { renewing = false; }
}

function draw() {
  const leftS = Math.max(0, (endsAt - performance.now()) / 1000);
  at("left").textContent = Math.ceil(leftS) + " s";
  at("bar").style.width = (100 * leftS / lifeS) + "%";
  if (leftS === 0) at("symbol").setAttribute("data-stale", "");
  return leftS;
}

function tick() {
  const leftS = draw();
  /* Renew the code while a sixth of its lifetime is left, so that no code expires in front of the gate. */
  if (leftS < lifeS / 6 && !renewing && performance.now() > retryAt) renew();
}

/* Learn what the gate did with the codes that the screen shows, and what keeps this shopper out. */
async function entry() {
  const mine = base;
  try {
    const body = JSON.stringify({ codes: codes.filter(Boolean) });
    const found = await (await ask(base + "/entry", { method: "POST", body })).json();
    if (base !== mine) return;
    if (found.opened) {
      codes = [];
      showEntry("opened", "The gate opened at " + clockTime(new Date()) + ". Welcome.");
      renew();
    } else if (found.closed) {
      showEntry("closed", (found.closedAt ? clockTime(new Date(found.closedAt)) + ": " : "") + found.closed);
      if (found.closedAt && found.closedAt !== closedAt) { closedAt = found.closedAt; renew(); }
    }
    else if (at("entry").dataset.state === "closed") at("entry").hidden = true;
  } catch { /* the next poll tries again */ }
}

function clockTime(instant) {
  return instant.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/* Write an instant in the store's time zone, with the name of that zone. */
function storeTime(text, timeZone) {
  const parts = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  try { return new Date(text).toLocaleString([], { ...parts, timeZone }); }
  catch { return new Date(text).toLocaleString([], { ...parts, timeZone: "UTC" }); } /* an older browser lacks the zone */
}

function showEntry(state, words) {
  const place = at("entry");
  if (place.dataset.state === state && place.textContent === words && !place.hidden) return;
  place.dataset.state = state;
  place.textContent = words;
  place.hidden = false;
}

async function samples() {
  try {
    const found = await (await fetch("/app/samples", { cache: "no-store" })).json();
    at("sample-list").replaceChildren(...found.accounts.map(sample));
    at("samples").hidden = !found.accounts.length || at("who").hidden;
  } catch { /* a connector without test keys has no sample accounts */ }
}

function sample(account) {
  const item = document.createElement("li"), choose = document.createElement("button");
  const name = document.createElement("strong"), about = document.createElement("span");
  choose.type = "button";
  choose.className = "choice";
  name.textContent = account.name;
  about.textContent = account.about;
  choose.append(name, about);
  choose.addEventListener("click", () => {
    at("shopper").value = account.id;
    at("pin").value = account.pin;
    at("who").requestSubmit();
  });
  item.append(choose);
  return item;
}

function row(cells, kind) {
  const line = document.createElement("tr");
  if (kind) line.className = kind;
  for (const cell of cells) line.appendChild(document.createElement("td")).textContent = cell;
  return line;
}

/* Write a number of pieces, or a weight and the price of one unit of it. */
function amount(line) {
  if (!line.unit || line.unit === "unit") return line.quantity + " ×";
  return line.quantity + " " + line.unit + (line.unitPrice === "0.00" ? "" : " at " + line.unitPrice);
}

const payments = { open: "in progress", paid: "paid", nothing_to_pay: "nothing to pay", settled: "settled in the store", checked: "being checked" };

function paid(entry) {
  const payment = entry.payment, card = payment.paidWith ? " with " + payment.paidWith : "";
  const words = (payments[payment.state] || "not paid: " + payment.owed + " " + entry.currency) + card;
  return payment.refunded === "0.00" ? words : words + ", refunded " + payment.refunded;
}

/* A debt with its button. It keeps the shopper out until it is paid here or in the store. */
function debt(entry) {
  const item = document.createElement("li"), text = document.createElement("p"), pay = document.createElement("button");
  const words = { paying: "The payment is in progress.", declined: "The last payment was declined.", checked: "The last payment is being checked; ask the store." };
  item.className = "card";
  text.textContent = entry.amount + " " + entry.currency + " of a visit is not paid, so the gate stays closed. " + (words[entry.state] || "");
  pay.textContent = "Pay now";
  pay.disabled = entry.state === "paying" || entry.state === "checked";
  pay.addEventListener("click", async () => {
    pay.disabled = true;
    try { await ask(base + "/debts/" + encodeURIComponent(entry.shoppingTripId) + "/settle", { method: "POST" }, "The payment cannot start."); }
    catch (error) { text.textContent = error.message; }
    owed = ""; debts();
  });
  item.append(text, pay);
  return item;
}

async function debts() {
  const mine = base;
  try {
    const text = await (await ask(base + "/debts")).text();
    if (text === owed || base !== mine) return;
    const found = JSON.parse(text).debts;
    if (owed && !found.length) retryAt = 0;
    owed = text;
    at("debts").replaceChildren(...found.map(debt));
    at("owed").hidden = !found.length;
  } catch { /* the next poll tries again */ }
}

function receipt(entry) {
  const item = document.createElement("li"), box = document.createElement("details"), head = document.createElement("summary");
  const table = document.createElement("table");
  item.className = "card";
  const words = { priced: entry.total + " " + entry.currency, parked: "being checked", empty: "nothing taken" };
  const time = Object.assign(document.createElement("time"), { dateTime: entry.madeAt, textContent: storeTime(entry.madeAt, entry.timeZone) });
  const visit = document.createElement("span"), sum = document.createElement("span");
  visit.append(time, Object.assign(document.createElement("small"), { textContent: entry.storeId }));
  sum.textContent = words[entry.status];
  head.append(visit, sum);
  for (const line of entry.lines) table.appendChild(row([amount(line) + " " + (line.name || line.sku), line.total]));
  table.appendChild(row(["Promotions, included", "−" + entry.promotions]));
  table.appendChild(row(["Tax, included", entry.tax]));
  table.appendChild(row(["Total", entry.total], "sum"));
  if (entry.payment) table.appendChild(row(["Payment", paid(entry)]));
  box.append(head, table); item.append(box);
  return item;
}

async function receipts() {
  const mine = base;
  try {
    const text = await (await ask(base + "/receipts")).text();
    if (text === shown || base !== mine) return;
    const found = JSON.parse(text).receipts;
    shown = text;
    at("list").replaceChildren(...found.map(receipt));
    at("none").hidden = found.length > 0;
  } catch { /* the next poll tries again */ }
}

/* Call a route of badges. A badge's key is in the body, so that no address has it. */
function askBadge(path, id, words) {
  return ask(base + "/badges/" + path, { method: "POST", body: JSON.stringify({ id }) }, words);
}

function badgeCard(badge, pictures) {
  const item = document.createElement("li"), box = document.createElement("details"), head = document.createElement("summary");
  const words = { issued: "opens the gate", revoked: "revoked", lost: "reported lost", expired: "expired" };
  const until = badge.expires ? ", until " + new Date(badge.expires).toLocaleString() : "";
  item.className = "card";
  for (const text of [badge.credential, words[badge.state]]) head.appendChild(document.createElement("span")).textContent = text;
  box.append(head, Object.assign(document.createElement("p"), { textContent: badge.id + until, className: "soft" }));
  if (badge.state === "issued" || badge.state === "expired") {
    const lost = document.createElement("button");
    lost.textContent = "Report it lost";
    lost.addEventListener("click", () => reportLost(badge.id));
    box.append(lost);
  }
  if (badge.state === "issued" && pictures) box.addEventListener("toggle", () => showPicture(box, badge.id), { once: true });
  item.append(box);
  return item;
}

async function showPicture(box, id) {
  const mine = base;
  try {
    const picture = await (await askBadge("picture.svg", id)).text();
    if (base !== mine) return;
    const place = document.createElement("div");
    place.className = "picture";
    place.innerHTML = picture.replace(/^<\?xml[^>]*\?>/, "");
    box.append(place);
  } catch { /* the badge stays usable without its picture */ }
}

async function reportLost(id) {
  const mine = base;
  try {
    await askBadge("lost", id, "The report was not recorded. Try again.");
    at("badge-trouble").hidden = true;
    await badges();
  } catch (error) {
    if (base !== mine) return;
    at("badge-trouble").textContent = error.message;
    at("badge-trouble").hidden = false;
  }
}

async function badges() {
  const mine = base;
  try {
    const found = await (await ask(base + "/badges")).json();
    if (base !== mine) return;
    at("badge-list").replaceChildren(...found.badges.map((badge) => badgeCard(badge, found.pictures)));
    at("badges").hidden = found.badges.length === 0;
  } catch { /* the next sign-in tries again */ }
}

function enter(shopper) {
  base = "/app/shoppers/" + encodeURIComponent(shopper);
  at("who").hidden = at("samples").hidden = true;
  at("code").hidden = at("receipts").hidden = false;
  tick(); receipts(); debts(); badges();
  timers = [setInterval(tick, 250), setInterval(receipts, 3000), setInterval(debts, 3000), setInterval(entry, 1000)];
}

/* Remove all data of one shopper from the screen before the next one signs in. */
function leave() {
  timers.forEach(clearInterval);
  base = shown = owed = closedAt = ""; codes = []; endsAt = retryAt = 0;
  for (const id of ["symbol", "list", "debts", "badge-list"]) at(id).replaceChildren();
  for (const id of ["code", "receipts", "owed", "badges", "trouble", "badge-trouble", "entry"]) at(id).hidden = true;
  at("who").hidden = false;
  delete at("entry").dataset.state;
  at("samples").hidden = !at("sample-list").children.length;
}

at("who").addEventListener("submit", async (event) => {
  event.preventDefault();
  const shopper = at("shopper").value, body = JSON.stringify({ shopper, pin: at("pin").value });
  try {
    await ask("/app/session", { method: "POST", body }, "You could not be signed in.");
    at("pin").value = ""; at("refused").hidden = true;
    enter(shopper);
  } catch (error) {
    at("refused").textContent = error.message;
    at("refused").hidden = false;
  }
});

at("out").addEventListener("click", async (event) => {
  event.preventDefault();
  await fetch("/app/session", { method: "DELETE" });
  leave();
});

ask("/app/session").then((answer) => answer.json()).then((session) => enter(session.shopper), leave);
samples();
