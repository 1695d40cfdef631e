// Losses as a chart, which grows while a training goes on. The page has the same as lines and words.
"use strict";

(() => {
  const place = document.getElementById("losses");
  const known = document.getElementById("losses-data");
  if (!place || !known || typeof uPlot === "undefined") return;
  const EVERY = 2000;
  const HEIGHT = 260;
  let chart = null;
  let names = "";

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const inks = { training: "--accent", validation: "--warning" };

  // The series share one x axis: where one has no point, it has a gap that is joined.
  function aligned(curves) {
    const tables = curves.map((each) => [each.x, each.y]);
    return tables.length ? uPlot.join(tables) : [[]];
  }

  function make(curves) {
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 } };
    const options = {
      width: Math.max(place.clientWidth, 200),
      height: HEIGHT,
      scales: { x: { time: false } },
      axes: [{ ...axis, label: "steps" }, { ...axis, label: "loss" }],
      series: [
        { label: "step" },
        ...curves.map((each) => ({
          label: each.name,
          stroke: colour(inks[each.name] || "--accent"),
          width: 2,
          spanGaps: true,
          points: { show: each.name === "validation" },
        })),
      ],
    };
    place.replaceChildren();
    return new uPlot(options, aligned(curves), place);
  }

  function draw(curves) {
    if (!curves.some((each) => each.x.length > 1)) return;
    const now = curves.map((each) => each.name).join();
    if (chart && now === names) {
      chart.setData(aligned(curves));
    } else {
      if (chart) chart.destroy();
      chart = make(curves);
      names = now;
    }
    place.dataset.points = String(curves.reduce((sum, each) => sum + each.x.length, 0));
  }

  async function poll() {
    let live = true;
    try {
      const answer = await fetch(place.dataset.live, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const found = await answer.json();
      draw(found.curves);
      live = found.live;
    } catch {
      // The server restarts, or the network is slow: the next look tells more.
    }
    if (live) setTimeout(poll, EVERY);
  }

  draw(JSON.parse(known.textContent));
  addEventListener("resize", () => {
    if (chart) chart.setSize({ width: Math.max(place.clientWidth, 200), height: HEIGHT });
  });
  if (place.dataset.live) setTimeout(poll, EVERY);
})();
