// The page: registers a job when the form is sent, and keeps the list of its jobs current.

import { Api, Unauthorized, Unreachable, Refused } from "./api.js";
import { JobList } from "./job_list.js";
import { JobStore } from "./job_store.js";
import { Outbox } from "./outbox.js";
import { Poll } from "./poll.js";
import { Reports } from "./reports.js";
import { Runs } from "./runs.js";
import { Watch } from "./watch.js";
import { fill } from "./wording.js";

const { texts, token, tokenSeconds } = JSON.parse(document.body.dataset.page);
const byId = (id) => document.getElementById(id);
const form = byId("form");
const registerButton = byId("register");
const printNowButton = byId("print-now");

const api = new Api(token, tokenSeconds, byId("token"));
const store = new JobStore();
const list = new JobList(texts, store);
const poll = new Poll(api, store, list);
const runs = new Runs(texts, api, explain);
const reports = new Reports(texts, api, explain);
const watch = new Watch(api, runs, reports, new Outbox(texts, api), byId("others-stale"));
runs.onStarted = () => watch.hurry();

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
  if (error instanceof Refused && error.status === 429) return fill(texts.error_too_often, error);
  return texts.error_other + error.message;
}

function busy(isBusy) {
  // Not `disabled`: that would take the focus away from whoever uses the keyboard.
  for (const button of [registerButton, printNowButton]) {
    button.setAttribute("aria-disabled", String(isBusy));
  }
  registerButton.textContent = isBusy ? texts.registering : texts.register;
}

// `add` stores the job and gives its id.
async function storeJob(delay, add) {
  if (registerButton.getAttribute("aria-disabled") === "true") return;
  busy(true);
  clearNotices();
  const message = form.elements.message.value;
  try {
    const jobId = await add(message);
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
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const delay = form.elements.delay.valueAsNumber;
  storeJob(delay, (message) => api.register(message, delay));
});

printNowButton.addEventListener("click", () => {
  storeJob(0, async (message) => (await api.run("demo:delay_print", { message })).job_id);
});

byId("clear").addEventListener("click", () => {
  store.clear();
  list.show();
  form.elements.message.focus();
});

list.show();
poll.start();
watch.start();
