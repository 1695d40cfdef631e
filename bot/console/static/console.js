// What the pages do beyond links and forms. Everything is readable without it.
"use strict";

(() => {
  const token = document.querySelector("meta[name=csrf-token]")?.content;

  // Every request of htmx carries the token that its form would.
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = token;
  });

  // An answer that is no success is shown as well: it says what to do.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401 || status === 403 || status === 409 || status === 503) {
      announce("It was not done: reload the page to see why.");
    }
  });

  function announce(text) {
    const live = document.getElementById("live");
    if (live) live.textContent = text;
  }

  // Times in the reader's own zone and language; the server writes UTC.
  function localise(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = time.textContent;
      time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
      time.dataset.local = "yes";
    }
  }

  // What is wider than the page is scrolled by keyboard too, where nothing in it takes the focus.
  function reachable() {
    for (const each of document.querySelectorAll(".scroll")) {
      if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
    }
  }

  localise(document);
  reachable();
  document.addEventListener("htmx:afterSettle", (event) => {
    localise(event.target);
    reachable();
  });

  // Single-letter shortcuts where a page offers them: <button data-key="a">. Never while typing.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const wanted = [...document.querySelectorAll("[data-key]")].find(
      (each) =>
        each.dataset.key.split(" ").includes(event.key) &&
        !each.disabled &&
        each.offsetParent !== null,
    );
    if (wanted) {
      event.preventDefault();
      if (wanted.matches("input, select, textarea")) wanted.focus();
      else wanted.click();
    }
  });

  window.labelwright = { announce };
})();
