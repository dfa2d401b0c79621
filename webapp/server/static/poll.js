// Asks how unfinished jobs stand: often when something is about to happen, else seldom.

import { Rounds, SELDOM_MS, pauseAfter } from "./rounds.js";

const OFTEN_MS = 500;
const SOON_MS = 5_000;

export class Poll extends Rounds {
  constructor(api, store, list) {
    super();
    this.api = api;
    this.store = store;
    this.list = list;
  }

  async round() {
    const jobs = this.store.unfinished;
    if (jobs.length === 0 || !this.api.hasToken) return null;
    try {
      const changed = this.store.update(await this.api.jobs(jobs.map((job) => job.id)));
      this.list.show();
      if (changed.length) this.list.announce(changed);
      this.list.stale(false);
      return this.#pause();
    } catch (error) {
      this.list.stale(true);
      return pauseAfter(error);
    }
  }

  #pause() {
    const soon = this.store.unfinished.some(
      (job) => job.state === "active" || Math.abs(job.dueAt - Date.now()) < SOON_MS,
    );
    return soon ? OFTEN_MS : SELDOM_MS;
  }
}
