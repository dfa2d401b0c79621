// The API server, and the token that it wants to see.

export class Unreachable extends Error {}
export class Unauthorized extends Error {}

export class Refused extends Error {
  // `seconds`: after which it may go better, where the server says so.
  constructor(status, message, seconds) {
    super(message);
    this.status = status;
    this.seconds = seconds;
  }
}

const PATIENCE_MS = 15_000;
const RENEW_BEFORE_MS = 20_000;

export class Api {
  // With `token`, the server also hands out the next ones; otherwise `field` is where the
  // user puts one in.
  constructor(token, seconds, field) {
    this.token = token;
    this.renewable = Boolean(token);
    this.expiresAt = Date.now() + seconds * 1000;
    this.field = field;
    if (field) {
      field.value = sessionStorage.getItem("token") ?? "";
      field.addEventListener("input", () => sessionStorage.setItem("token", field.value.trim()));
    }
  }

  // Whether a request has any chance: without a token it would only fill the console.
  get hasToken() {
    return this.renewable || this.field.value.trim() !== "";
  }

  async register(message, delaySeconds) {
    const answer = await this.#call("/api/dm-jobqueue/register", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ message, delay_seconds: delaySeconds }),
    });
    return answer.job_id;
  }

  async jobs(ids) {
    return this.#call(`/api/dm-jobqueue/jobs?${ids.map((id) => `id=${id}`).join("&")}`);
  }

  async run(job, fields) {
    return this.#call(`/api/jobs/${job}/run`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    });
  }

  async runs() {
    return this.#call("/api/jobs");
  }

  async reports() {
    return this.#call("/api/reports");
  }

  async mails() {
    return this.#call("/api/outbox");
  }

  // The file as a Blob: a link could not bring the token.
  async report(month, format) {
    const response = await this.#answer(`/api/reports/${month}/${format}`);
    return response.ok ? response.blob() : this.#read(response);
  }

  async #call(path, options = {}) {
    return this.#read(await this.#answer(path, options));
  }

  async #answer(path, options = {}) {
    await this.#prepareToken();
    const response = await this.#send(path, options);
    if (response.status === 401 && this.renewable) {
      // The server may have been started anew with another secret.
      await this.#renew();
      return this.#send(path, options);
    }
    return response;
  }

  async #prepareToken() {
    if (!this.renewable) this.token = this.field.value.trim();
    else if (Date.now() > this.expiresAt - RENEW_BEFORE_MS) await this.#renew();
  }

  async #renew() {
    const answer = await this.#read(await this.#fetch("/dm-jobqueue/token", { method: "POST" }));
    this.token = answer.token;
    this.expiresAt = Date.now() + answer.seconds * 1000;
  }

  #send(path, options) {
    const headers = { ...options.headers, Authorization: `Bearer ${this.token}` };
    return this.#fetch(path, { ...options, headers });
  }

  async #fetch(path, options) {
    try {
      return await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch (error) {
      throw new Unreachable(error.message);
    }
  }

  async #read(response) {
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const message = answer.detail ?? `${response.status} ${response.statusText}`;
    if (response.status === 401) throw new Unauthorized(message);
    throw new Refused(response.status, message, Number(response.headers.get("Retry-After") ?? 0));
  }
}
