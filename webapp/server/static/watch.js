// Asks how the other jobs stand: often while one is under way, else seldom.

import { Runs } from "./runs.js";

const OFTEN_MS = 700;
const SELDOM_MS = 5_000;
const AFTERWARDS_MS = 5_000; // Mails are sent by further jobs, a moment after the run.

export class Watch {
  constructor(api, runs, reports, outbox, stale) {
    this.api = api;
    this.runs = runs;
    this.reports = reports;
    this.outbox = outbox;
    this.stale = stale;
    this.timer = 0;
    this.running = false;
    this.lively = 0;
    this.hasReports = false;
  }

  start() {
    document.addEventListener("visibilitychange", () => this.hurry());
    this.hurry();
  }

  // Something has changed: ask now.
  hurry() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#turn(), 0);
  }

  async #turn() {
    if (this.running || document.hidden) return;
    this.running = true;
    let pause = SELDOM_MS;
    try {
      if (this.api.hasToken) pause = await this.#look();
    } catch {
      this.stale.hidden = false;
    } finally {
      this.running = false;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#turn(), pause);
    }
  }

  async #look() {
    const answer = await this.api.runs();
    const changed = this.runs.update(answer);
    if (!this.hasReports || changed.has("monthly_report_generator")) {
      await this.reports.refresh();
      this.hasReports = true;
    }
    await this.outbox.refresh();
    this.stale.hidden = true;
    if (changed.size || Runs.areUnfinished(answer)) this.lively = Date.now();
    return Date.now() - this.lively < AFTERWARDS_MS ? OFTEN_MS : SELDOM_MS;
  }
}
