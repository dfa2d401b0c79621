// Asks how unfinished jobs stand: often when something is about to happen, else seldom.

const OFTEN_MS = 500;
const SELDOM_MS = 5_000;
const SOON_MS = 5_000;

export class Poll {
  constructor(api, store, list) {
    this.api = api;
    this.store = store;
    this.list = list;
    this.timer = 0;
    this.running = false;
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
    const jobs = this.store.unfinished;
    if (this.running || document.hidden || jobs.length === 0 || !this.api.hasToken) return;
    this.running = true;
    try {
      const changed = this.store.update(await this.api.jobs(jobs.map((job) => job.id)));
      this.list.show();
      if (changed.length) this.list.announce(changed);
      this.list.stale(false);
      this.#again(this.#pause());
    } catch {
      this.list.stale(true);
      this.#again(SELDOM_MS);
    } finally {
      this.running = false;
    }
  }

  #pause() {
    const soon = this.store.unfinished.some(
      (job) => job.state === "active" || Math.abs(job.dueAt - Date.now()) < SOON_MS,
    );
    return soon ? OFTEN_MS : SELDOM_MS;
  }

  #again(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#turn(), pause);
  }
}
