/**
 * One way to the server: JSON in, JSON or a named error out. Never throws for what the network or the server says.
 * Owns the CSRF token, nothing else.
 */
export interface ApiError {
  readonly code: string; readonly message: string; readonly field?: string; readonly place?: string;
  readonly cure?: string; readonly [extra: string]: unknown;
}
export type Answer<T> =
  | { readonly ok: true; readonly status: number; readonly data: T }
  | { readonly ok: false; readonly status: number; readonly error: ApiError; readonly retryAfter_ms?: number };

export interface SendOptions { readonly key?: string; readonly keepalive?: boolean; readonly timeout_ms?: number }
export type FetchLike = (input: string, init: RequestInit) => Promise<Response>;

/** status 0: no answer came (offline, timed out, connection cut). */
export const NO_ANSWER = 0;
/** Browsers refuse keepalive bodies above 64 kB in all. */
const KEEPALIVE_BYTES = 60_000;

/** The token's cookie, with or without the prefix it has on an encrypted site. */
function cookieToken(): string | null {
  if (typeof document === "undefined") return null;
  const found = document.cookie.split("; ").find((part) => /^(__Host-)?concord_csrf=/.test(part));
  return found ? decodeURIComponent(found.slice(found.indexOf("=") + 1)) : null;
}

export class Api {
  #csrf: string;
  readonly #fetch: FetchLike;

  constructor(csrf: string, fetchLike: FetchLike = (input, init) => fetch(input, init)) {
    this.#csrf = csrf;
    this.#fetch = fetchLike;
  }

  /** The cookie wins when scripts may read it: signing in again in another tab changes the token. */
  get csrf(): string { return cookieToken() ?? this.#csrf; }
  set csrf(token: string) { this.#csrf = token; }

  async send<T>(method: string, path: string, body?: unknown, options: SendOptions = {}): Promise<Answer<T>> {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const headers: Record<string, string> = { Accept: "application/json" };
    if (text !== undefined) headers["Content-Type"] = "application/json";
    if (method !== "GET") headers["X-CSRFToken"] = this.csrf;
    if (options.key) headers["Idempotency-Key"] = options.key;
    const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
    if (text !== undefined) init.body = text;
    if (options.keepalive && (text === undefined || text.length < KEEPALIVE_BYTES / 3)) init.keepalive = true;
    else if (typeof AbortSignal !== "undefined") init.signal = AbortSignal.timeout(options.timeout_ms ?? 30_000);
    let response: Response;
    try {
      response = await this.#fetch(path, init);
    } catch (error) {
      return { ok: false, status: NO_ANSWER, error: { code: "no_answer", message: String(error) } };
    }
    let data: unknown = null;
    try {
      data = response.status === 204 ? null : await response.json();
    } catch {
      // An answer cut off in the middle is no answer; a proxy's error page is an error without a code.
      if (response.ok) return { ok: false, status: NO_ANSWER, error: { code: "no_answer", message: "the answer was cut off" } };
    }
    if (response.ok) return { ok: true, status: response.status, data: data as T };
    const inner = (data as { error?: ApiError } | null)?.error;
    const after = Number(response.headers.get("Retry-After"));
    return {
      ok: false, status: response.status,
      error: inner ?? { code: `http_${response.status}`, message: response.statusText || `HTTP ${response.status}` },
      ...(after > 0 ? { retryAfter_ms: after * 1000 } : {}),
    };
  }

  async bytes(path: string): Promise<Uint8Array> {
    const response = await this.#fetch(path, { method: "GET", credentials: "same-origin" });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}
