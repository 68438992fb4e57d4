// A shop's bookkeeping of intra-day files: one JSON file of rows by their ids, and sums in whole cents.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { signature } from "./signed.mjs";

const { AWS_ENDPOINT_URL: aws, FEED_QUEUE_URL: queue } = process.env;
const [folder, result] = process.argv.slice(2);
const books = `${folder}/books.json`;
const rows = existsSync(books) ? JSON.parse(readFileSync(books, "utf8")) : {};

async function sqs(action, more) {
  const body = JSON.stringify({ QueueUrl: queue, ...more });
  const signed = { ...signature("POST", `${aws}/`, body, "sqs"), "x-amz-target": `AmazonSQS.${action}` };
  const headers = { ...signed, "content-type": "application/x-amz-json-1.0" };
  const text = await (await fetch(`${aws}/`, { method: "POST", body, headers })).text();
  return text ? JSON.parse(text) : {};
}

async function* records(message) {
  for (const { s3 } of JSON.parse(JSON.parse(message.Body).Message).Records) {
    const key = decodeURIComponent(s3.object.key.replaceAll("+", " "));
    const url = `${aws}/${s3.bucket.name}/${key}`;
    const text = await (await fetch(url, { headers: signature("GET", url, "", "s3") })).text();
    const [names, ...lines] = text.trim().split("\r\n").map((line) => line.split(","));
    for (const line of lines) yield Object.fromEntries(names.map((name, place) => [name, line[place]]));
  }
}

for (;;) {
  const { Messages: messages = [] } = await sqs("ReceiveMessage", { MaxNumberOfMessages: 1 });
  if (!messages.length) break;
  for (const message of messages) {
    for await (const row of records(message)) rows[row.recordId] = row;
    writeFileSync(books, JSON.stringify(rows));
    await sqs("DeleteMessage", { ReceiptHandle: message.ReceiptHandle });
  }
}

const cents = (text) => Math.round(Number(text) * 100);
const shown = (amount) => (amount / 100).toFixed(2);
const orders = {};
const totals = { captured: 0, refunded: 0 };
const KINDS = { "Capture Charge": "captured", "Checkout Cart": "captured", "Refund Charge": "refunded" };
for (const row of Object.values(rows)) {
  const order = (orders[row.shoppingTripId] ??= { purchaseId: "", items: {}, captured: 0, refunded: 0 });
  if (row.recordType === "ORDER") order.purchaseId = row.purchaseId;
  if (row.recordType === "ORDER_LINE") {
    order.items[row.productId] = String(Number(order.items[row.productId] ?? 0) + Number(row.quantity));
  }
  const kind = row.recordType === "CHARGE" && KINDS[row.operation];
  if (!kind) continue;
  order[kind] += cents(row.amount);
  totals[kind] += cents(row.amount);
}
for (const order of Object.values(orders)) {
  order.captured = shown(order.captured);
  order.refunded = shown(order.refunded);
}
const report = { orders, capturedTotal: shown(totals.captured), refundedTotal: shown(totals.refunded) };
writeFileSync(result, JSON.stringify(report));
