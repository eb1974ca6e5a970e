// The log of one node beside the picture: its last lines, and, while it is followed, every further one.

const MOST_CHARACTERS = 400_000;
const AGAIN_MS = 2000;
const choice = document.querySelector(".log-choice");
const [node, since, follow] = ["log-node", "log-since", "log-follow"].map((id) => document.getElementById(id));
const [lines, told] = ["log-lines", "log-told"].map((id) => document.getElementById(id));
let base = "";
let stream = null;

/** Shows what is chosen in the panel. */
export function prepare(api) {
  base = api;
  choice.hidden = lines.hidden = document.getElementById("choosing").hidden = false;
  for (const control of [node, since, follow]) control.addEventListener("change", resume);
  document.addEventListener("refreshed", mark); // the server knows nothing of the choice
}

/** Shows the log of a node; false where it is none. */
export function open(api, name) {
  if (![...node.options].some((option) => option.value === name)) return false;
  node.value = name;
  resume();
  document.getElementById("log").scrollIntoView({ block: "nearest" });
  return true;
}

export function pause() {
  stream?.abort();
  stream = null;
}

/** Reads from the beginning: what was missed meanwhile is there. */
export function resume() {
  pause();
  mark();
  const mine = (stream = new AbortController());
  read(mine.signal).catch((problem) => {
    if (mine.signal.aborted) return;
    told.textContent = problem.message;
    if (follow.checked) setTimeout(() => mine === stream && resume(), AGAIN_MS);
  });
}

async function read(signal) {
  const query = new URLSearchParams({ follow: follow.checked, tail: since.value ? 5000 : 300 });
  if (since.value) query.set("since", since.value);
  const answer = await fetch(`${base}/nodes/${node.value}/logs?${query}`, { signal });
  if (!answer.ok) throw new Error(await reason(answer));
  lines.textContent = "";
  told.textContent = follow.checked ? "" : "These are all lines so far.";
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    append(value);
  }
  if (follow.checked) throw new Error("The log has ended; looking again.");
}

function append(text) {
  const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 24;
  lines.append(text);
  if (lines.childNodes.length > 200 || lines.textContent.length > MOST_CHARACTERS) {
    lines.textContent = lines.textContent.slice(-MOST_CHARACTERS);
  }
  if (isAtEnd) lines.scrollTop = lines.scrollHeight;
}

async function reason(answer) {
  const problem = await answer.json().catch(() => ({}));
  return `There is no log now: ${problem.detail ?? answer.statusText}.`;
}

function mark() {
  for (const card of document.querySelectorAll(".g-node")) {
    card.classList.toggle("g-chosen", card.dataset.node === node.value);
  }
}
