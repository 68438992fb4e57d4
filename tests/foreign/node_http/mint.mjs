// Prints a new code of a kind: node mint.mjs shopper
import { writeAged } from "./codes.mjs";

console.log(writeAged(process.argv[2]));
