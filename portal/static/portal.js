// The portal's only script. Without it all pages work, except for copying, local time and links with "#/".
"use strict";

// A link such as "/#/console?account_id=..." means the path after "#". It can't lead to another origin.
function go(otherwise) {
  if (location.pathname === "/" && /^#\/[^/\\]/.test(location.hash)) {
    const to = new URL(location.hash.slice(1), location.origin);
    if (to.origin === location.origin) {
      location.replace(to.href);
      return;
    }
  }
  if (otherwise) location.replace(otherwise);
}

const begin = document.getElementById("begin"); // the page before a sign-in
go(begin ? begin.href : "");
window.addEventListener("hashchange", () => go(""));

for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (isNaN(at)) continue;
  time.title = time.textContent;
  time.textContent = at.toLocaleString(document.documentElement.lang, {
    year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const from = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(from.value ?? from.textContent);
    } catch { // not allowed: select it, for the keyboard
      from.focus();
      from.select?.();
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 3000);
  });
}
