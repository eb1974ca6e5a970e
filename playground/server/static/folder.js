// The page of a shared folder: files are dropped on it, and it asks before one goes.
import "./dialog.js";
import "./upload.js";
