// Asks the server for this page again and takes over the parts that live: the server alone decides what they say.
import { morph } from "./morph.js";

let asking = false;
let again = false;

/** Brings the parts that carry `data-live` up to date; many calls at once ask once more, not many times. */
export async function refresh() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    do {
      again = false;
      await ask();
    } while (again);
  } finally {
    asking = false;
  }
}

async function ask() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer) return; // no connection: the next time
  if (!answer.ok) {
    if ([401, 404].includes(answer.status)) location.reload(); // signed out, or gone: the server says it best
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = [...fresh.querySelectorAll("[data-live]")];
  const here = document.querySelectorAll("[data-live]");
  if (parts.length !== here.length && !document.querySelector("dialog[open]")) {
    location.reload(); // another shape: the first deployment, the last one gone
    return;
  }
  for (const part of parts) {
    const now = document.getElementById(part.id);
    if (now) morph(now, part);
  }
  document.dispatchEvent(new Event("refreshed"));
}
