// Asks how the other jobs stand: often while one is under way, else seldom.

import { Rounds, SELDOM_MS, pauseAfter } from "./rounds.js";
import { Runs } from "./runs.js";

const OFTEN_MS = 700;
const AFTERWARDS_MS = 5_000; // Mails are sent by further jobs, a moment after the run.

export class Watch extends Rounds {
  constructor(api, runs, reports, outbox, stale) {
    super();
    this.api = api;
    this.runs = runs;
    this.reports = reports;
    this.outbox = outbox;
    this.stale = stale;
    this.lively = 0;
    this.hasReports = false;
  }

  async round() {
    if (!this.api.hasToken) return SELDOM_MS;
    try {
      return await this.#look();
    } catch (error) {
      this.stale.hidden = false;
      return pauseAfter(error);
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
