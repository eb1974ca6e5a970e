// Writes what goes along the edges, once a second: into the picture, the table and the title block.

const ACTIVE = ["running", "paused", "draining"];
const THOUSAND = 1000;

/** @param {object} told the figures of the run, as the server's events carry them */
export function show(told) {
  const picture = new Map([...document.querySelectorAll(".g-edge")].map((edge) => [edge.dataset.edge, edge]));
  const rows = new Map([...document.querySelectorAll("#edges tr")].map((row) => [row.dataset.key, row]));
  let total = 0;
  let count = 0;
  for (const edge of told.edges) {
    const from = `${edge.source}.${edge.sourceOperation}`;
    const to = `${edge.target}.${edge.targetOperation}`;
    total += edge.messagesPerSecond;
    count += edge.messages;
    draw(picture.get(`${from}>${to}`), edge);
    list(rows.get(`${from}:${to}`), edge);
  }
  const isActive = ACTIVE.includes(told.run?.state);
  write(document.querySelector('[data-figure="total"]'), isActive ? rate(total) || "0/s" : "–");
  if (told.run) write(document.querySelector('[data-figure="count"]'), amount(count));
}

function draw(line, edge) {
  if (!line) return;
  line.classList.toggle("g-moving", edge.messagesPerSecond > 0);
  write(line.querySelector(".g-rate"), rate(edge.messagesPerSecond));
  write(line.querySelector(".g-queue"), edge.queuedMessages ? `${amount(edge.queuedMessages)} waiting` : "");
}

function list(row, edge) {
  if (!row) return;
  write(row.querySelector('[data-figure="messages"]'), amount(edge.messages));
  write(row.querySelector('[data-figure="rate"]'), rate(edge.messagesPerSecond) || "–");
  // The first text only: what was dropped or lies on disk stands below it, and comes from the server.
  const queued = row.querySelector('[data-figure="queued"]').firstChild;
  if (queued.data !== amount(edge.queuedMessages)) queued.data = amount(edge.queuedMessages);
}

function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function rate(perSecond) {
  if (perSecond <= 0) return "";
  if (perSecond >= 10 * THOUSAND) return `${(perSecond / THOUSAND).toFixed(0)} k/s`;
  return `${perSecond.toFixed(perSecond < 0.1 ? 2 : perSecond < 10 ? 1 : 0)}/s`;
}

function amount(number) {
  return number.toLocaleString("en");
}
