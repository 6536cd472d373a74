// The portal's only script. Without it all pages work, except for copying, local time and links with "#/".
"use strict";

// A link such as "/#/console?account_id=..." means the path after "#". It leads to one of these pages only: not to
// another origin, and not to an address that begins something, because a browser names this page as the initiator.
const pages = /^\/($|(console|accounts|applications|sessions|operator|device)(\/|$))/;
const begin = document.getElementById("begin"); // the page before a sign-in

function go() {
  let to = "";
  if (location.pathname === "/" && /^#\/[^/\\]/.test(location.hash)) {
    const named = new URL(location.hash.slice(1), location.origin);
    if (named.origin === location.origin && pages.test(named.pathname)) to = named.pathname + named.search;
  }
  if (begin) {
    const login = new URL(begin.href);
    if (to) login.searchParams.set("return_to", to);
    location.replace(login.href);
  } else if (to) {
    location.replace(to);
  }
}

go();
window.addEventListener("hashchange", go);

for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (isNaN(at)) continue;
  time.title = time.textContent;
  time.textContent = at.toLocaleString(document.documentElement.lang, {
    year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
}

// text returns what an element shows: a list has a line for each entry.
function text(from) {
  const entries = [...from.querySelectorAll("li")].map((entry) => entry.textContent);
  return from.value ?? (entries.length ? entries.join("\n") : from.textContent);
}

// select selects what an element shows, for the keyboard.
function select(from) {
  if (from.select) {
    from.focus();
    from.select();
  } else {
    getSelection().selectAllChildren(from);
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const from = document.getElementById(button.dataset.copy);
  if (!from) continue;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text(from));
    } catch { // not allowed, or not a secure context
      select(from);
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 3000);
  });
}
