"use strict";
// draws each figure once, when it is about to be seen, and all of them before the page is printed
const figures = JSON.parse(document.getElementById("figures").textContent);
const places = document.querySelectorAll("[data-figure]");

function draw(place) {
  if (place.dataset.drawn) return;
  place.dataset.drawn = "yes";
  const figure = figures[place.dataset.figure];
  Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displaylogo: false });
}

const seen = new IntersectionObserver(
  entries => entries.filter(entry => entry.isIntersecting).forEach(entry => draw(entry.target)),
  { rootMargin: "100%" });
places.forEach(place => seen.observe(place));
addEventListener("beforeprint", () => places.forEach(draw));
