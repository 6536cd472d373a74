"use strict";
// Keeps the parts marked data-live fresh, and of each only what has changed.
// What has the focus stays as it is.
function freshen(now, next) {
  if (now.isEqualNode(next)) return;
  const alike = now.nodeName === next.nodeName && now.childNodes.length === next.childNodes.length;
  if (now.nodeType !== Node.ELEMENT_NODE || !alike) {
    if (!now.contains(document.activeElement)) now.replaceWith(next);
    return;
  }
  for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  const fresh = [...next.childNodes];
  [...now.childNodes].forEach((child, i) => freshen(child, fresh[i]));
}

// One answer that doesn't come is none yet: a page that is being left has that.
const gone = document.getElementById("gone");
let missed = 0;

setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch("/", { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = page.getElementById(part.id);
      if (next) freshen(part, next);
    }
    missed = 0;
  } catch { missed++; }
  gone.hidden = missed < 2;
}, 1500);
