// Prints a new code of a kind: node mint.mjs shopper
import { write } from "./codes.mjs";

const kind = process.argv[2];
const age = kind === "expired" ? 10 * 60 * 1000 : 0;
console.log(write(kind === "expired" ? "shopper" : kind, Date.now() - age));
