// A shop's checkout job: sends all carts one after the other, with the amounts of whole lines.
import { readFileSync, writeFileSync } from "node:fs";
import { call } from "./signed.mjs";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const cents = (text) => Number(text.replace(".", ""));
const text = (amount) => `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, "0")}`;
const orders = {};

function priced({ storeId, shoppingTripId, currency, lines }) {
  const money = (amount) => ({ currencyCode: currency, amount: text(amount) });
  const totals = { price: 0, tax: 0, deposit: 0, promotion: 0 };
  const lineItems = lines.map((line) => {
    for (const name of Object.keys(totals)) totals[name] += cents(line[name]);
    const total = cents(line.price) + cents(line.tax) + cents(line.deposit) - cents(line.promotion);
    const unitPrice = { salesTax: money(cents(line.tax)), price: money(cents(line.price)), totalPrice: money(total) };
    if (cents(line.deposit)) {
      unitPrice.depositsAndFees = [{ depositAndFeeDescription: "bottle", depositAndFeeAmount: money(cents(line.deposit)) }];
    }
    if (cents(line.promotion)) {
      unitPrice.promotions = [{ promotionDescription: "week's offer", promotionAmount: money(cents(line.promotion)) }];
    }
    return { unitPrice, productId: line.sku, type: "SKU", quantity: { unit: line.unit, value: line.quantity } };
  });
  const subTotal = totals.price + totals.deposit - totals.promotion;
  const orderTotals = {
    subTotal: money(subTotal),
    salesTaxTotal: money(totals.tax),
    promotionsTotal: money(totals.promotion),
    priceTotal: money(subTotal + totals.tax),
  };
  return { storeId, idempotentShoppingTripId: shoppingTripId, lineItems, orderTotals };
}

for (const cart of job.carts.filter(({ lines }) => lines.length)) {
  const body = priced(cart);
  const answer = await call(`${process.env.CHECKOUT_ENDPOINT}/v1/checkout/carts`, JSON.stringify(body));
  if (answer) orders[cart.shoppingTripId] = body.orderTotals.priceTotal.amount;
}
const total = text(Object.values(orders).reduce((sum, amount) => sum + cents(amount), 0));
writeFileSync(process.argv[3], JSON.stringify({ orders, total }));
