"use strict";
// Each page works without this script, which adds buttons to copy, to show a password and to filter a list.

function button(text, press) {
  const b = document.createElement("button");
  b.type = "button";
  b.className = "quiet small";
  b.textContent = text;
  b.addEventListener("click", () => press(b));
  return b;
}

for (const e of document.querySelectorAll("[data-copy]")) {
  const b = button("Copy", async () => {
    const text = e.value ?? e.textContent;
    try {
      await navigator.clipboard.writeText(text);
      b.textContent = "Copied";
    } catch { // plain http on another host than loopback has no clipboard
      if (e.select) e.select(); else getSelection().selectAllChildren(e);
      b.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { b.textContent = "Copy"; }, 2000);
  });
  b.setAttribute("aria-label", "Copy: " + e.dataset.copy);
  e.after(" ", b);
}

for (const e of document.querySelectorAll("input[data-reveal]")) {
  const b = button("Show", () => {
    const hidden = e.type === "password";
    e.type = hidden ? "text" : "password";
    b.textContent = hidden ? "Hide" : "Show";
    b.setAttribute("aria-label", hidden ? "Hide the password" : "Show the password");
  });
  b.setAttribute("aria-label", "Show the password");
  const box = document.createElement("div");
  const focus = document.activeElement === e;
  box.className = "beside";
  e.replaceWith(box);
  box.append(e, b);
  if (focus) e.focus();
}

for (const list of document.querySelectorAll("select[data-filter]")) {
  if (list.length < 12) continue;
  const all = [...list.querySelectorAll("option")].map(o => ({ o, text: (o.value + " " + o.textContent + " " +
    (o.closest("optgroup")?.label ?? "")).toLowerCase() }));
  const box = document.createElement("input");
  box.type = "search";
  box.id = list.id + "-filter";
  box.setAttribute("aria-label", list.dataset.filter);
  box.placeholder = list.dataset.filter;
  box.autocomplete = "off";
  const count = document.createElement("p");
  count.className = "soft";
  count.setAttribute("role", "status");
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/);
    let n = 0;
    for (const { o, text } of all) {
      o.hidden = o.value !== "" && !words.every(w => text.includes(w));
      if (!o.hidden && o.value !== "") n++;
    }
    for (const g of list.querySelectorAll("optgroup")) g.hidden = !g.querySelector("option:not([hidden])");
    if (list.selectedOptions[0]?.hidden) list.value = "";
    count.textContent = box.value ? n + (n === 1 ? " attack" : " attacks") : "";
  });
  box.addEventListener("keydown", event => { if (event.key === "Enter") event.preventDefault(); });
  list.closest("details")?.querySelectorAll(".noscript").forEach(e => e.remove());
  list.before(box);
  list.after(count);
}
