// The other jobs: a form each that runs it now, and its newest runs.

import { fill, moment } from "./wording.js";

const byId = (id) => document.getElementById(id);
const SHOWN = 5;
const UNFINISHED = new Set(["pending", "scheduled", "active", "retry"]);
const USER_REMINDER = "weekly_report_reminder:user";

export class Runs {
  constructor(texts, api, explain) {
    this.texts = texts;
    this.api = api;
    this.explain = explain;
    this.states = new Map();
    this.onStarted = () => {};
    this.cards = new Map(
      [...document.querySelectorAll("[data-job]")].map((card) => [card.dataset.job, card]),
    );
    for (const [job, card] of this.cards) {
      const form = card.querySelector("form");
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#run(job, card, form);
      });
    }
  }

  // Shows what the API tells; returns the jobs of which a run has another state now,
  // each with that state.
  update(answer) {
    const changed = new Map();
    const isFirst = this.states.size === 0;
    for (const job of answer.jobs) {
      for (const run of job.runs) {
        const before = this.states.get(run.job_id);
        if (before !== run.state) changed.set(job.name, run.state);
        this.states.set(run.job_id, run.state);
      }
      if (job.name === USER_REMINDER) this.#showFailedMails(job.runs);
      else if (this.cards.has(job.name)) this.#show(this.cards.get(job.name), job);
    }
    // What was there when the page was opened is no news.
    if (!isFirst) this.#announce(changed);
    return changed;
  }

  static areUnfinished(answer) {
    return answer.jobs.some((job) => job.runs.some((run) => UNFINISHED.has(run.state)));
  }

  async #run(job, card, form) {
    const button = form.querySelector("button");
    if (button.getAttribute("aria-disabled") === "true") return;
    // Not `disabled`: that would take the focus away from whoever uses the keyboard.
    button.setAttribute("aria-disabled", "true");
    this.#say(card, "", false);
    try {
      const answer = await this.api.run(job, fieldsOf(form));
      if (answer.status === "already_registered") this.#say(card, this.texts.run_already, false);
      this.onStarted();
    } catch (error) {
      this.#say(card, this.texts.run_failed + this.explain(error), true);
    } finally {
      button.setAttribute("aria-disabled", "false");
    }
  }

  #say(card, text, isError) {
    const notice = card.querySelector(".notice");
    notice.textContent = text;
    notice.hidden = !text;
    notice.classList.toggle("error", isError);
    if (text) byId("run-changes").textContent = text;
  }

  #show(card, job) {
    const rows = job.runs.slice(0, SHOWN).map((run) => this.#row(run, this.#result(job.name, run)));
    fillTable(card.querySelector("table"), rows);
  }

  #showFailedMails(runs) {
    const failed = runs.filter((run) => run.state === "archived" || run.state === "retry");
    const rows = failed.map((run) =>
      this.#row(run, [fill(this.texts.failed_mail, { ...run.arguments, error: run.error })]),
    );
    fillTable(byId("failed-mails"), rows);
  }

  #row(run, result) {
    const row = byId("run").content.firstElementChild.cloneNode(true);
    const state = row.querySelector(".state");
    state.textContent = this.texts[`state_${run.state}`] ?? run.state;
    state.dataset.state = run.state;
    const instant = run.ended_at ?? run.due_at;
    row.querySelector(".time").textContent = instant ? moment(instant) : "";
    row.querySelector(".result").replaceChildren(...result);
    return row;
  }

  #result(job, run) {
    if (run.state === "completed" && run.result) return [this.#sentence(job, run.result)];
    const retries = { retried: run.retried, max_retry: run.max_retry };
    const told = Object.entries(run.arguments).map(([name, value]) => `${name}: ${value}`);
    const parts = [told.join(", ")];
    if (run.progress) parts.push(this.#progress(run.progress));
    if (run.retried) parts.push(` ${fill(this.texts.retries, retries)}`);
    if (run.error) parts.push(problem(run.error));
    return parts;
  }

  #sentence(job, result) {
    if (job === "weekly_report_reminder") return fill(this.texts.result_weekly, result);
    if (job === "monthly_report_generator") return fill(this.texts.result_monthly, result);
    return fill(this.texts.result_cleanup, result);
  }

  #progress({ done, total }) {
    const bar = document.createElement("progress");
    bar.max = Math.max(1, total);
    bar.value = done;
    const text = fill(this.texts.progress, { done, total });
    bar.setAttribute("aria-label", text);
    const whole = document.createElement("span");
    whole.className = "progress";
    whole.append(bar, text);
    return whole;
  }

  #announce(changed) {
    const lines = [...changed]
      .filter(([job]) => this.cards.has(job))
      .map(([job, state]) =>
        fill(this.texts.run_changed, {
          job: this.cards.get(job).querySelector("h3").textContent,
          state: this.texts[`state_${state}`] ?? state,
        }),
      );
    if (lines.length) byId("run-changes").textContent = lines.join(" ");
  }
}

function fieldsOf(form) {
  const fields = {};
  for (const input of form.querySelectorAll("input")) {
    fields[input.name] = input.type === "number" ? input.valueAsNumber : input.value;
  }
  return fields;
}

function fillTable(table, rows) {
  table.querySelector("tbody").replaceChildren(...rows);
  table.hidden = rows.length === 0;
}

function problem(error) {
  const line = document.createElement("p");
  line.className = "problem";
  line.textContent = error;
  return line;
}
