// Signed calls as another team would write them: fetch, and AWS Signature Version 4 by its public description.
import { createHash, createHmac } from "node:crypto";

const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token, AWS_REGION: region } = process.env;
const sha256 = (content) => createHash("sha256").update(content).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const MOST_TRIES = 5;

export function signature(method, url, body, service) {
  const { host, pathname } = new URL(url);
  const stamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const dated = { host, "x-amz-date": stamp, "x-amz-security-token": token };
  const covered = service === "s3" ? { host } : { "content-type": "application/json" };
  if (service === "s3") covered["x-amz-content-sha256"] = sha256(body);
  Object.assign(covered, dated);
  const names = Object.keys(covered).join(";");
  const lines = Object.entries(covered).map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = [method, pathname, "", lines, names, sha256(body)].join("\n");
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce(hmac, `AWS4${secret}`);
  const { host: _, ...headers } = covered;
  const value = `Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${hmac(key, text).toString("hex")}`;
  return { ...headers, authorization: `AWS4-HMAC-SHA256 ${value}` };
}

async function attempt(url, body) {
  try {
    const answer = await fetch(url, { method: "POST", body, headers: signature("POST", url, body, "execute-api") });
    return { status: answer.status, after: answer.headers.get("retry-after"), text: await answer.text() };
  } catch {
    return { status: 0, after: "0.2", text: "the connection broke" };
  }
}

// Returns the answer's JSON, or null for a call that the platform refuses for good.
export async function call(url, body) {
  for (let number = 1; number <= MOST_TRIES; number += 1) {
    const { status, after, text } = await attempt(url, body);
    if (status === 200 || status === 201) return text ? JSON.parse(text) : {};
    const again = status === 0 || status === 429 || status === 503 || (status === 500 && after !== null);
    if (!again) {
      console.error(`${url} answered ${status}: ${text}`);
      return null;
    }
    await sleep(Number(after ?? 1) * 1000 + 30);
  }
  return null;
}

export { sleep };
