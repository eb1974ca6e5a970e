// Makes one element like another, touching only what differs: focus, scroll positions and running animations stay.

/** @param {Element} now what the page shows @param {Element} wanted what it should show */
export function morph(now, wanted) {
  attributes(now, wanted);
  const kept = keyed(now);
  let at = now.firstChild;
  for (const child of [...wanted.childNodes]) {
    const match = partner(child, at, kept);
    if (!match) {
      now.insertBefore(document.importNode(child, true), at);
      continue;
    }
    if (match !== at) now.insertBefore(match, at);
    else at = at.nextSibling;
    if (match.nodeType === Node.ELEMENT_NODE) morph(match, child);
    else if (match.data !== child.data) match.data = child.data;
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function keyed(parent) {
  const found = new Map();
  for (const child of parent.children) if (child.dataset.key) found.set(child.dataset.key, child);
  return found;
}

function partner(child, at, kept) {
  const key = child.dataset?.key;
  if (key) return kept.get(key);
  return at && !at.dataset?.key && at.nodeType === child.nodeType && at.nodeName === child.nodeName ? at : null;
}

function attributes(now, wanted) {
  for (const { name } of [...now.attributes]) if (!wanted.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
}
