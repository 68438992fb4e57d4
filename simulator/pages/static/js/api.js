// Calls the platform's own API. A failed call shows a message with what to do, and then throws.

import { askForPortalToken, needsUser, portalToken } from "./portal_token.js";
import { toast } from "./toast.js";

/** A refused or failed call; `status` is 0 if the platform did not answer. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Make a call. A body that is a Blob is sent as it is, and any other as JSON.
 * @param {string} method
 * @param {string} path with every id encoded, see `at`
 * @param {any} [body]
 * @param {{quiet?: boolean, headers?: Record<string, string>}} [options] quiet: show no message
 */
export async function call(method, path, body, { quiet = false, headers = {} } = {}) {
  try {
    return await send(method, path, body, headers);
  } catch (error) {
    if (quiet) throw error;
    if (needsUser(error) && (await askForPortalToken())) return call(method, path, body, { headers });
    showProblem(error);
    throw error;
  }
}

export const get = (path, options) => call("GET", path, undefined, options);
export const post = (path, body, options) => call("POST", path, body, options);
export const put = (path, body, options) => call("PUT", path, body, options);
export const del = (path, options) => call("DELETE", path, undefined, options);

/** Make a path from a template literal, with each id encoded: at`/gates/${gate}/scans`. */
export function at(parts, ...ids) {
  return parts.reduce((path, part, n) => path + encodeURIComponent(ids[n - 1]) + part);
}

/** Show a failed call as a message: "what happened (what to do)" becomes a title and a text. */
export function showProblem(error) {
  const [, what, fix] = /^(.*?)(?: \((.*)\))?$/s.exec(error.message) ?? [null, error.message, ""];
  toast("bad", what, fix ?? "");
}

async function send(method, path, body, headers) {
  const isJson = body !== undefined && !(body instanceof Blob);
  const given = { ...(isJson ? { "Content-Type": "application/json" } : {}), ...portalHeaders(path), ...headers };
  let answer;
  try {
    answer = await fetch(path, { method, headers: given, body: isJson ? JSON.stringify(body) : body });
  } catch {
    throw new ApiError("The platform does not answer (look at the terminal that runs it, and start it again)", 0);
  }
  const content = await read(answer);
  if (answer.ok) return content;
  if (answer.status === 401 && /access token/.test(content?.errorMsg ?? "")) window.location.assign("/ui/sign-in");
  const text = content?.errorMsg ?? content?.message ?? `The platform answered ${answer.status}`;
  throw new ApiError(text, answer.status);
}

function portalHeaders(path) {
  return path.startsWith("/portal/") && portalToken() ? { Authorization: `Bearer ${portalToken()}` } : {};
}

async function read(answer) {
  if (!(answer.headers.get("Content-Type") ?? "").includes("json")) return answer.text();
  return answer.json().catch(() => null);
}
