// Sends the small forms without leaving the page: what they change shows itself through the events.
import { refresh } from "./refresh.js";

document.addEventListener("submit", async (submit) => {
  const form = submit.target;
  if (!form.matches("[data-act]")) return;
  submit.preventDefault();
  const button = submit.submitter;
  const told = form.querySelector(".told") ?? document.getElementById("told");
  button.setAttribute("aria-busy", "true");
  told.textContent = "";
  try {
    const failure = await send(form, new FormData(form, button));
    if (failure) told.textContent = failure;
    else if (form.action.endsWith("/delete")) location.assign("/");
    else form.closest("dialog")?.close();
  } finally {
    button.removeAttribute("aria-busy");
    refresh();
  }
});

/** Returns why it was refused, or nothing. The server answers what it did with a redirect, which nobody has to follow. */
async function send(form, body) {
  const options = { method: "POST", body, redirect: "manual", headers: { Accept: "application/json" } };
  const answer = await fetch(form.action, options).catch(() => null);
  if (!answer) return "The server cannot be reached.";
  if (answer.type === "opaqueredirect") return "";
  const problem = await answer.json().catch(() => ({}));
  return `That did not work: ${problem.detail ?? answer.status}.`;
}
