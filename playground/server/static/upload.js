// Forms that send files: take what is dropped on them, and show how far they are.

/** Attends to one form. */
export function prepare(form) {
  const input = form.querySelector('input[type="file"]');
  for (const name of ["dragenter", "dragover"]) form.addEventListener(name, (drag) => hover(form, drag));
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (drop) => {
    drop.preventDefault();
    form.classList.remove("over");
    input.files = drop.dataTransfer.files;
    if (input.files.length) form.requestSubmit();
  });
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    send(form);
  });
}

function hover(form, drag) {
  if (!drag.dataTransfer.types.includes("Files")) return;
  drag.preventDefault();
  form.classList.add("over");
}

function send(form) {
  const [bar, told, button] = ["progress", ".told", "button"].map((selector) => form.querySelector(selector));
  const request = new XMLHttpRequest(); // fetch does not say how far it is
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/problem+json");
  request.upload.onprogress = ({ loaded, total }) => {
    bar.value = loaded / total;
  };
  request.onload = () => {
    if (request.status === 200) location.assign(request.responseURL);
    else fail(request.responseText);
  };
  request.onerror = () => fail("");
  const fail = (text) => {
    bar.hidden = true;
    button.disabled = false;
    told.textContent = why(text);
  };
  bar.hidden = false;
  button.disabled = true;
  told.textContent = "";
  request.send(new FormData(form));
}

function why(text) {
  try {
    const problem = JSON.parse(text);
    const found = (problem.findings ?? []).filter(({ severity }) => severity === "error");
    const all = found.map((one) => `${one.path}: expected ${one.expected}, found ${one.found}.`);
    return all.length ? all.join(" ") : `That did not work: ${problem.detail}.`;
  } catch {
    return "The server cannot be reached, or takes no file of that size.";
  }
}

document.querySelectorAll("[data-upload]").forEach(prepare);
