// The next messages of an edge, decoded by the orchestrator, when somebody asks for them.

const part = document.getElementById("sample");
const [told, lines] = ["sample-told", "sample-lines"].map((id) => document.getElementById(id));
let latest = 0;

/** @param {string} api address of the deployment @param {string} edge `node.operation:node.operation` */
export async function sample(api, edge) {
  const mine = ++latest;
  part.hidden = false;
  lines.hidden = true;
  told.textContent = `${edge.replace(":", " → ")}: waiting for messages, ten seconds at most…`;
  part.scrollIntoView({ block: "nearest" });
  const answer = await fetch(`${api}/sample?${new URLSearchParams({ edge, count: 3 })}`).catch(() => null);
  const body = await answer?.json().catch(() => null);
  if (mine !== latest) return;
  if (!answer?.ok) {
    told.textContent = `There is no sample: ${body?.detail ?? "the server cannot be reached"}.`;
    return;
  }
  told.textContent = `${edge.replace(":", " → ")}: ${body.messages.length || "no"} ${body.messages.length === 1 ? "message" : "messages"}`;
  lines.hidden = !body.messages.length;
  lines.textContent = body.messages.map(shown).join("\n\n");
}

function shown(message) {
  const size = `${message.size.toLocaleString("en")} bytes${message.truncated ? ", cut" : ""}`;
  return `// ${size}\n${pretty(message.text)}`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // cut in the middle
  }
}
