"use strict";
// Replaces the parts of the page that changed on the server. A part stays as it is while the keyboard focus is in it
// or something in it was typed or chosen but not sent.
{
  const every = 3000;
  const pause = document.getElementById("pause");
  const news = document.getElementById("news");
  const again = document.querySelector(".refresh a").href; // not always the page's own address: it may answer a form
  let tag = "";
  let timer = 0;

  const changed = (control) => {
    switch (control.type) {
      case "checkbox":
      case "radio":
        return control.checked !== control.defaultChecked;
      case "select-one":
        // Without a selected option the browser selects the first one.
        return !control.options[control.selectedIndex]?.defaultSelected &&
          (control.selectedIndex > 0 || [...control.options].some((option) => option.defaultSelected));
      default:
        return "defaultValue" in control && control.type !== "hidden" && control.value !== control.defaultValue;
    }
  };
  const busy = (part) => part.contains(document.activeElement) ||
    [...part.querySelectorAll("input, select, textarea")].some(changed);

  const replace = (text) => {
    const next = new DOMParser().parseFromString(text, "text/html");
    const names = [];
    let kept = false;
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = next.getElementById(part.id);
      if (!other || other.innerHTML === part.dataset.html) continue;
      if (busy(part)) {
        kept = true;
        continue;
      }
      part.replaceChildren(...document.importNode(other, true).childNodes);
      part.dataset.html = other.innerHTML;
      if (part.dataset.live) names.push(part.dataset.live);
    }
    if (names.length) news.textContent = "Updated: " + names.join(", ") + ".";
    return !kept;
  };

  const refresh = async () => {
    if (document.hidden) return;
    const answer = await fetch(again, { headers: { "If-None-Match": tag }, cache: "no-store" });
    if (answer.status === 304) return;
    if (!answer.ok) {
      news.textContent = "This page can't be refreshed any more. Reload it.";
      stop();
      return;
    }
    if (replace(await answer.text())) tag = answer.headers.get("ETag") ?? "";
  };

  const start = () => {
    timer = setTimeout(async () => {
      try {
        await refresh();
      } catch {
        news.textContent = "The server can't be reached.";
      }
      if (timer) start();
    }, every);
  };
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
  };

  for (const part of document.querySelectorAll("[data-live]")) part.dataset.html = part.innerHTML;
  const paused = () => sessionStorage.getItem("paused") === "yes";
  const show = () => {
    pause.setAttribute("aria-pressed", String(paused()));
    stop();
    if (!paused()) start();
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    sessionStorage.setItem("paused", paused() ? "no" : "yes");
    show();
  });
  show();
}
