// Asks again and again: never twice at a time, and not while nobody looks at the page.

export const SELDOM_MS = 5_000;

// The pause after an answer that was none: as long as the server asks for, where it does.
export const pauseAfter = (error) => Math.max(SELDOM_MS, (error.seconds ?? 0) * 1000);

// Subclasses have `round()`: asks once and gives the pause until the next round in milliseconds,
// or null where there is none until somebody hurries.
export class Rounds {
  #timer = 0;
  #running = false;

  start() {
    document.addEventListener("visibilitychange", () => this.hurry());
    this.hurry();
  }

  // Something has changed: ask now.
  hurry() {
    this.#next(0);
  }

  async #turn() {
    if (this.#running || document.hidden) return;
    this.#running = true;
    const pause = await this.round().finally(() => (this.#running = false));
    if (pause !== null) this.#next(pause);
  }

  #next(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), pause);
  }
}
