// The list of jobs as the user sees it.

import { isFinal } from "./job_store.js";
import { fill, moment } from "./wording.js";

const byId = (id) => document.getElementById(id);
const PATIENCE_MS = 5_000; // After this, a job that should run and does not is worth a word.
const TICK_MS = 200;

function duration(ms) {
  const seconds = Math.ceil(ms / 1000);
  const two = (number) => String(number).padStart(2, "0");
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds < 3600 ? clock : `${Math.floor(seconds / 3600)}:${clock}`;
}

export class JobList {
  constructor(texts, store) {
    this.texts = texts;
    this.store = store;
    this.items = new Map();
    this.isStale = false;
    setInterval(() => this.#tick(), TICK_MS);
  }

  show() {
    for (const job of this.store.jobs) {
      if (!this.items.has(job.id)) this.items.set(job.id, this.#newItem(job));
      this.#fillItem(job);
    }
    byId("jobs").replaceChildren(...this.store.jobs.map((job) => this.items.get(job.id)));
    byId("no-jobs").hidden = this.store.jobs.length > 0;
    byId("clear").hidden = this.store.jobs.length === 0;
    this.#tick();
  }

  // For those who hear the page instead of seeing it.
  announce(jobs) {
    byId("changes").textContent = jobs
      .map((job) => fill(this.texts.changed, { message: job.message, state: this.#state(job) }))
      .join(" ");
  }

  stale(isStale) {
    this.isStale = isStale;
    byId("stale").hidden = !isStale;
  }

  #state(job) {
    return this.texts[`state_${job.state}`] ?? job.state;
  }

  #newItem(job) {
    const item = byId("job").content.firstElementChild.cloneNode(true);
    item.querySelector(".message").textContent = job.message;
    item.querySelector(".id").textContent = job.id;
    return item;
  }

  #fillItem(job) {
    const part = (name) => this.items.get(job.id).querySelector(name);
    const state = part(".state");
    state.textContent = this.#state(job);
    state.dataset.state = job.state;
    part(".due").textContent = fill(this.texts.due_at, { time: moment(job.dueAt) });
    part(".retries").textContent = job.retried
      ? fill(this.texts.retries, { retried: job.retried, max_retry: job.maxRetry })
      : "";
  }

  #tick() {
    for (const job of this.store.jobs) {
      const item = this.items.get(job.id);
      const left = job.dueAt - Date.now();
      const waits = job.state === "scheduled" || job.state === "retry";
      item.querySelector(".countdown").textContent =
        waits && left > 0 ? fill(this.texts.due_in, { time: duration(left) }) : "";
      const shouldRun = !isFinal(job) && job.state !== "active" && left < -PATIENCE_MS;
      const isOverdue = shouldRun && !this.isStale;
      const problem = isOverdue ? this.texts.overdue : job.state === "completed" ? "" : job.error;
      const line = item.querySelector(".problem");
      line.textContent = problem ?? "";
      line.hidden = !problem;
    }
  }
}
