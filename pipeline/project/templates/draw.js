"use strict";
// draws each figure once, when it is about to be seen, and all of them before the page is printed
const figures = JSON.parse(document.getElementById("figures").textContent);
const places = document.querySelectorAll("[data-figure]");
const dark = matchMedia("(prefers-color-scheme: dark)");

// a figure that has no colours of its own takes those of the page; in a light theme plotly's own fit
function inTheme(layout, isDark) {
  if (!isDark) return layout;
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink"), line = style.getPropertyValue("--line");
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line };
  const template = structuredClone(layout.template ?? {});
  const of = template.layout ?? {};
  template.layout = { ...of, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: { ...of.font, color: ink }, xaxis: { ...of.xaxis, ...axis }, yaxis: { ...of.yaxis, ...axis } };
  // plotly has one colour for the button that is pressed, a light one
  const updatemenus = layout.updatemenus?.map(menu => ({ ...menu, bgcolor: "#b5bfca", font: { color: "#16202c" } }));
  return { ...layout, template, updatemenus, modebar: { bgcolor: "transparent", color: ink } };
}

function draw(place, isDark) {
  const theme = isDark ? "dark" : "light";
  if (place.dataset.drawn === theme) return;
  place.dataset.drawn = theme;
  const figure = structuredClone(figures[place.dataset.figure]);
  Plotly.react(place, figure.data, inTheme(figure.layout, isDark), { responsive: true, displaylogo: false });
}

const seen = new IntersectionObserver(
  entries => entries.filter(entry => entry.isIntersecting).forEach(entry => draw(entry.target, dark.matches)),
  { rootMargin: "100%" });
places.forEach(place => seen.observe(place));
const drawn = () => [...places].filter(place => place.dataset.drawn);
dark.addEventListener("change", () => drawn().forEach(place => draw(place, dark.matches)));
addEventListener("beforeprint", () => places.forEach(place => draw(place, false)));
addEventListener("afterprint", () => places.forEach(place => draw(place, dark.matches)));
