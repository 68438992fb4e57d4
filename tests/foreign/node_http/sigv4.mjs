// Checks AWS Signature Version 4 by its public description: canonical request, string to sign, derived key.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const AUTHORIZATION = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
const OLDEST_MS = 5 * 60 * 1000;
const MUST_BE_SIGNED = ["host", "x-amz-date", "x-amz-security-token"];
const sha256 = (content) => createHash("sha256").update(content).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

function instant(stamp) {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp ?? "");
  return parts ? Date.UTC(parts[1], parts[2] - 1, parts[3], parts[4], parts[5], parts[6]) : NaN;
}

function signature(request, body, { date, region, service, signed, secret }) {
  const [path, query = ""] = request.url.split("?");
  const headers = signed.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}\n`).join("");
  const canonical = [request.method, path, query, headers, signed.join(";"), sha256(body)].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce(hmac, `AWS4${secret}`);
  return hmac(key, text);
}

export function isSigned(request, body, { id, secret, token, region, service }) {
  const found = AUTHORIZATION.exec(request.headers.authorization ?? "");
  if (!found) return false;
  const [, givenId, date, givenRegion, givenService, names, given] = found;
  const signed = names.split(";");
  const age = Math.abs(Date.now() - instant(request.headers["x-amz-date"]));
  if (!(age <= OLDEST_MS) || !request.headers["x-amz-date"].startsWith(date)) return false;
  if (givenId !== id || givenRegion !== region || givenService !== service) return false;
  if (request.headers["x-amz-security-token"] !== token || !MUST_BE_SIGNED.every((name) => signed.includes(name))) return false;
  return timingSafeEqual(signature(request, body, { date, region, service, signed, secret }), Buffer.from(given, "hex"));
}
