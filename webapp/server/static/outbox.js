// The mails that stayed here, where the server shows them.

import { fill, moment } from "./wording.js";

export class Outbox {
  constructor(texts, api) {
    this.texts = texts;
    this.api = api;
    this.place = document.getElementById("outbox");
    this.shown = "";
  }

  async refresh() {
    if (!this.place) return;
    const { mails } = await this.api.mails();
    // Left alone where nothing is new: an open mail would close under its reader.
    const shown = mails.map((mail) => `${mail.message_id} ${mail.date}`).join();
    if (shown === this.shown && this.place.hasChildNodes()) return;
    this.shown = shown;
    this.place.replaceChildren(...(mails.length ? mails.map((one) => this.#item(one)) : [this.#none()]));
  }

  #item(mail) {
    const item = document.getElementById("mail").content.firstElementChild.cloneNode(true);
    const part = (name, text) => (item.querySelector(name).textContent = text);
    part(".subject", mail.subject);
    part(".to", fill(this.texts.mail_to, { to: mail.to, time: mail.date ? moment(mail.date) : "" }));
    part(".text", mail.text);
    return item;
  }

  #none() {
    const line = document.createElement("p");
    line.className = "faint";
    line.textContent = this.texts.no_mails;
    return line;
  }
}
