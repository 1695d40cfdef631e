// The slider of a target precision: it redraws the figures from the lists in the page.
"use strict";

(() => {
  const shares = new Set(["precision", "coverage"]);

  function shown(name, value) {
    if (value === null) return "–";
    if (name === "labeled_a_month") return value.toFixed(1);
    return shares.has(name) ? `${Math.round(100 * value)} %` : String(value);
  }

  function draw(data, index) {
    for (const figure of document.querySelectorAll("[data-figure]")) {
      const name = figure.dataset.figure;
      figure.textContent = shown(name, data[name][index]);
    }
    const chart = document.querySelector("#what-if .lines svg");
    const mark = chart?.querySelector(".mark");
    if (!mark) return;
    const { low, high, left, right } = chart.dataset;
    const along = (data.targets[index] - low) / (high - low || 1);
    const at = Number(left) + along * (right - left);
    mark.setAttribute("x1", at);
    mark.setAttribute("x2", at);
  }

  function begin() {
    const slider = document.getElementById("slider");
    const select = document.getElementById("target");
    const found = document.getElementById("curves");
    if (!slider || !slider.hidden || !select || !found) return;
    const data = JSON.parse(found.textContent);
    slider.hidden = false;
    document.getElementById("show-target").hidden = true;

    function move(index) {
      select.selectedIndex = index;
      slider.value = index;
      slider.setAttribute("aria-valuetext", shown("precision", data.targets[index]));
      draw(data, index);
    }
    slider.addEventListener("input", () => move(Number(slider.value)));
    // The table by label comes from the server, once the slider rests.
    slider.addEventListener("change", () => select.dispatchEvent(new Event("change")));
    select.addEventListener("change", () => move(select.selectedIndex));
  }

  begin();
  document.addEventListener("htmx:afterSettle", begin);
})();
