// Asks for the changing part once a second. The server has escaped everything in it.
const live = document.getElementById("live");

async function refresh() {
  try {
    const answer = await fetch("live");
    if (!answer.ok) throw new Error(answer.statusText);
    live.innerHTML = await answer.text();
    live.classList.remove("stale");
  } catch {
    live.classList.add("stale");
  }
  setTimeout(refresh, 1000);
}

setTimeout(refresh, 1000);
