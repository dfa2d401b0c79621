// The file of bench/board.py: the first start of all, then the instants of starts, then for each
// job, by number, how often it started.

import { closeSync, fstatSync, openSync, writeSync } from "node:fs";

const HEADER_BYTES = 8;
const BYTES_PER_JOB = 9;
const FLUSH_EVERY_MS = 5;

export class Board {
  #file;
  #counts;
  #countsAt;
  #low = Infinity;
  #high = -1;
  #hasStarted = false;
  #timer;

  constructor(path) {
    this.#file = openSync(path, "r+");
    const jobs = (fstatSync(this.#file).size - HEADER_BYTES) / BYTES_PER_JOB;
    this.#counts = new Uint8Array(jobs);
    this.#countsAt = HEADER_BYTES + 8 * jobs;
    // Node cannot map a file, and a write for each job would cost more than the job.
    this.#timer = setInterval(() => this.flush(), FLUSH_EVERY_MS);
  }

  count(number) {
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeDoubleLE(Date.now() / 1000);
      writeSync(this.#file, header, 0, HEADER_BYTES, 0);
    }
    if (this.#counts[number] < 255) this.#counts[number] += 1;
    if (number < this.#low) this.#low = number;
    if (number > this.#high) this.#high = number;
  }

  flush() {
    if (this.#high < 0) return;
    const size = this.#high - this.#low + 1;
    writeSync(this.#file, this.#counts, this.#low, size, this.#countsAt + this.#low);
    this.#low = Infinity;
    this.#high = -1;
  }

  close() {
    clearInterval(this.#timer);
    this.flush();
    closeSync(this.#file);
  }
}
