// The page: registers a job when the form is sent, and keeps the list of its jobs current.

import { Api, Unauthorized, Unreachable, Refused } from "./api.js";
import { JobList } from "./job_list.js";
import { JobStore } from "./job_store.js";
import { Poll } from "./poll.js";

const { texts, token, tokenSeconds } = JSON.parse(document.body.dataset.page);
const byId = (id) => document.getElementById(id);
const form = byId("form");
const button = byId("register");

const api = new Api(token, tokenSeconds, byId("token"));
const store = new JobStore();
const list = new JobList(texts, store);
const poll = new Poll(api, store, list);

function showSuccess(jobId) {
  const id = document.createElement("code");
  id.textContent = jobId;
  byId("success").replaceChildren(texts.registered, id);
}

function showError(error) {
  byId("error").textContent = texts.failed + explain(error);
}

function clearNotices() {
  byId("success").replaceChildren();
  byId("error").replaceChildren();
}

function explain(error) {
  if (error instanceof Unreachable) return texts.error_unreachable;
  if (error instanceof Unauthorized) return texts.error_token;
  if (error instanceof Refused && error.status === 503) return texts.error_store;
  return texts.error_other + error.message;
}

function busy(isBusy) {
  // Not `disabled`: that would take the focus away from whoever uses the keyboard.
  button.setAttribute("aria-disabled", String(isBusy));
  button.textContent = isBusy ? texts.registering : texts.register;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.getAttribute("aria-disabled") === "true") return;
  busy(true);
  clearNotices();
  const message = form.elements.message.value;
  const delay = form.elements.delay.valueAsNumber;
  try {
    const jobId = await api.register(message, delay);
    store.add({ id: jobId, message, state: "scheduled", dueAt: Date.now() + delay * 1000 });
    showSuccess(jobId);
    list.show();
    poll.hurry();
  } catch (error) {
    showError(error);
    if (error instanceof Unauthorized) byId("token")?.focus();
  } finally {
    busy(false);
  }
});

byId("clear").addEventListener("click", () => {
  store.clear();
  list.show();
  form.elements.message.focus();
});

list.show();
poll.start();
