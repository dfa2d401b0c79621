// The jobs that this tab has registered; they survive a reload.

const KEY = "jobs";
const MOST = 50; // As many as the API tells about at once.
const LONGEST_MESSAGE = 200; // Of which the list shows three lines.
const FINAL = new Set(["completed", "archived", "unknown"]);

export const isFinal = (job) => FINAL.has(job.state);

export class JobStore {
  constructor() {
    this.jobs = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  }

  get unfinished() {
    return this.jobs.filter((job) => !isFinal(job));
  }

  add(job) {
    const message = job.message.slice(0, LONGEST_MESSAGE);
    this.jobs = [{ ...job, message }, ...this.jobs].slice(0, MOST);
    this.save();
  }

  clear() {
    this.jobs = [];
    this.save();
  }

  save() {
    sessionStorage.setItem(KEY, JSON.stringify(this.jobs));
  }

  // Takes over what the API tells; returns the jobs whose state is another one now.
  update(answer) {
    const clockAhead = Date.now() - Date.parse(answer.now);
    const changed = [];
    for (const told of answer.jobs) {
      const job = this.jobs.find((known) => known.id === told.job_id);
      if (!job) continue;
      if (job.state !== told.state) changed.push(job);
      job.state = told.state;
      job.retried = told.retried;
      job.maxRetry = told.max_retry;
      job.error = told.error;
      if (told.due_at) job.dueAt = Date.parse(told.due_at) + clockAhead;
    }
    this.save();
    return changed;
  }
}
