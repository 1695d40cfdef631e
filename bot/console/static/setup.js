// What the pages of the set-up do beyond links and forms.
"use strict";

(() => {
  // Behind a proxy only the browser knows how it came here.
  const address = document.querySelector("input[data-origin]");
  if (address && address.value.replace(/^https?:/, "") === location.origin.replace(/^https?:/, "")) {
    address.value = location.origin;
  }

  // The server of the set-up ends and the configured one begins: whoever answers says which it is.
  const waits = document.querySelector("[data-onward]");
  async function look() {
    try {
      const answer = await fetch("/readyz", { headers: { Accept: "application/json" } });
      const said = await answer.json();
      if (!said.setup) {
        location.replace(waits.dataset.onward);
        return;
      }
    } catch {
      // Nobody answers between the two.
    }
    setTimeout(look, 700);
  }
  if (waits) look();

  // The button is hidden until it can do something; a page that polls brings it anew each time.
  function reveal() {
    for (const button of document.querySelectorAll("button[data-copy]")) {
      button.hidden = !navigator.clipboard;
    }
  }
  reveal();
  document.addEventListener("htmx:afterSettle", reveal);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    window.labelwright?.announce("Copied");
    button.textContent = "Copied";
  });
})();
