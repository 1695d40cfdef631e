// The review queue: after each act the next card has the focus, and what was done is read out.
"use strict";

(() => {
  const isQueue = (element) => element?.id === "review";

  // A refusal comes as the same card with the reason above it; else the whole page is not for
  // this person any more, and says so itself.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (!isQueue(target) || xhr.status < 400) return;
    if (xhr.responseText.includes('id="review"')) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    } else if ([401, 403, 404].includes(xhr.status)) {
      location.reload();
    }
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const queue = document.getElementById("review");
    if (!queue || !(isQueue(event.target) || isQueue(event.detail.elt))) return;
    const card = document.getElementById("card");
    card?.focus();
    const told = queue.dataset.told;
    window.labelwright.announce([told, card?.textContent.trim()].filter(Boolean).join(" "));
  });

  // In the list of labels Enter takes the one that is chosen.
  document.addEventListener("keydown", (event) => {
    const list = event.target.closest("#review select");
    if (!list || event.key !== "Enter" || !list.value) return;
    event.preventDefault();
    list.form.querySelector("button[value=other]").click();
  });
})();
