// A shop's payment job: charges all trips at the same time, then makes the refunds one by one.
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { call, sleep } from "./signed.mjs";

const endpoint = process.env.PAYMENT_ENDPOINT;
const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const captured = {};
const refunded = {};
const cents = (text) => BigInt(text.replace(".", ""));
const written = (all) => {
  const sum = Object.values(all).reduce((total, text) => total + cents(text), 0n).toString().padStart(3, "0");
  return `${sum.slice(0, -2)}.${sum.slice(-2)}`;
};
const body = (trip, amount, more = {}) => {
  const text = JSON.stringify({ shoppingTripId: trip.shoppingTripId, storeId: trip.storeId, ...more });
  return amount ? `${text.slice(0, -1)},"amount":{"code":"${trip.currency}","amount":${amount}}}` : text;
};

async function charge(trip) {
  if (cents(trip.total) === 0n) return call(`${endpoint}/v1/cancel/charge`, body(trip));
  for (let number = 0; number < 20; number += 1) {
    const answer = await call(`${endpoint}/v1/adjust/charge`, body(trip, trip.total));
    if (answer?.status === "APPROVED") {
      if (await call(`${endpoint}/v1/capture/charge`, body(trip, trip.total))) captured[trip.shoppingTripId] = trip.total;
      return;
    }
    if (answer?.status !== "PENDING") return;
    await sleep(300);
  }
}

await Promise.all(job.trips.map(charge));
for (const refund of job.refunds) {
  const request = { refundRequestId: randomUUID(), refundReasonCode: refund.reason };
  if (await call(`${endpoint}/v1/refund`, body(refund, refund.amount, request))) refunded[refund.refundId] = refund.amount;
}
const report = { captured, refunded, capturedTotal: written(captured), refundedTotal: written(refunded) };
writeFileSync(process.argv[3], JSON.stringify(report));
