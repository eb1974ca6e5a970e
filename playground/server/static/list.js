// Keeps a list up to date while somebody looks at it.
import { refresh } from "./refresh.js";
import "./upload.js";

const EVERY_MS = 4000;

setInterval(() => {
  if (!document.hidden) refresh();
}, EVERY_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
