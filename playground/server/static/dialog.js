// Shows the page that asks before something is lost as a dialog over the page where the question came up.
import { prepare } from "./upload.js";

document.addEventListener("click", async (click) => {
  const link = click.target.closest("a[data-ask]");
  if (!link || click.ctrlKey || click.metaKey || click.shiftKey) return;
  click.preventDefault();
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } }).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const asked = page && page.querySelector("[data-dialog]");
  if (asked) open(asked, link);
  else location.assign(link.href);
});

function open(asked, link) {
  const dialog = document.createElement("dialog");
  dialog.append(document.importNode(asked, true));
  const title = dialog.querySelector("h1");
  title.id = "asked";
  dialog.setAttribute("aria-labelledby", "asked");
  dialog.querySelectorAll("[data-upload]").forEach(prepare);
  dialog.addEventListener("click", (click) => {
    if (click.target !== dialog && !click.target.closest("[data-close]")) return;
    click.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (link.isConnected) link.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  title.focus();
}
