// The page of a deployment: listens to its events while somebody looks, and lets go when nobody does.
import "./actions.js";
import "./dialog.js";
import { show } from "./figures.js";
import * as logs from "./logs.js";
import { refresh } from "./refresh.js";
import { sample } from "./sample.js";

const AGES_MS = 30000;
const place = document.getElementById("deployment");
const api = place.dataset.api;
let events = null;
let pipeline = null;

function listen() {
  events = new EventSource(`${api}/events`);
  events.addEventListener("deployment", refresh);
  events.addEventListener("happened", refresh);
  events.addEventListener("gone", () => location.assign("/"));
  events.addEventListener("statistics", ({ data }) => {
    const told = JSON.parse(data);
    // Other buttons, an error, the end of a run: words that the server chooses.
    const words = JSON.stringify([told.available, told.run?.state, told.run?.startedAt, told.operations.map((one) => one.lastError)]);
    if (pipeline !== words) refresh();
    pipeline = words;
    show(told);
  });
}

function attend() {
  if (document.hidden) {
    events?.close();
    events = null;
    logs.pause();
  } else if (!events) {
    listen();
    logs.resume();
  }
}

place.addEventListener("click", (click) => {
  const found = (selector) => click.target.closest(selector);
  const node = found("[data-log]")?.dataset.log ?? found(".g-node")?.dataset.node;
  const edge = found("[data-sample]")?.dataset.sample ?? found(".g-edge")?.dataset.edge.replace(">", ":");
  if (node && logs.open(api, node)) click.preventDefault();
  if (edge) {
    click.preventDefault();
    sample(api, edge);
  }
});

logs.prepare(api);
attend();
document.addEventListener("visibilitychange", attend);
addEventListener("pagehide", () => events?.close());
setInterval(() => {
  if (!document.hidden) refresh();
}, AGES_MS);
