// The monthly reports, each to be downloaded.

import { fill, moment } from "./wording.js";

const FORMATS = ["pdf", "csv"];

export class Reports {
  constructor(texts, api, explain) {
    this.texts = texts;
    this.api = api;
    this.explain = explain;
    this.table = document.getElementById("reports");
    this.notice = this.table.closest("article").querySelector(".notice");
  }

  async refresh() {
    try {
      this.#show((await this.api.reports()).reports);
    } catch {
      this.#say(this.texts.reports_down);
    }
  }

  #show(reports) {
    this.table.querySelector("tbody").replaceChildren(...reports.map((one) => this.#row(one)));
    this.table.hidden = reports.length === 0;
    if (this.notice.textContent === this.texts.reports_down) this.#say("");
  }

  #row(report) {
    const row = document.createElement("tr");
    const cells = [report.month, fill(this.texts.report_line, report), moment(report.generated_at)];
    for (const text of cells) row.insertCell().textContent = text;
    row.insertCell().append(...FORMATS.map((format) => this.#button(report.month, format)));
    row.lastElementChild.className = "downloads";
    return row;
  }

  #button(month, format) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = format.toUpperCase();
    button.setAttribute("aria-label", fill(this.texts.download, { month, format: button.textContent }));
    button.addEventListener("click", () => this.#download(month, format));
    return button;
  }

  async #download(month, format) {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await this.api.report(month, format));
      link.download = `weekly-reports-${month}.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      this.#say(this.texts.download_failed + this.explain(error));
    }
  }

  #say(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
    this.notice.classList.add("error");
  }
}
