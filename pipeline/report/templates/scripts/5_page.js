"use strict";
// The page itself: what is folded, links into it, the filter, sorting, the theme, printing.

const PARTS = "details.fold";
const MOST_OPENED = 6; // datasets that a filter opens

// ---- what is drawn: the figures of open parts take their room at once, their marks come with time

function fill() {
  const open = one => !one.closest("details:not([open])");
  [...document.querySelectorAll("[data-pictures]")].filter(open).forEach(picturesOf);
  [...document.querySelectorAll("[data-beside]")].filter(open).forEach(besideOf);
}

const idle = window.requestIdleCallback ?? (work => setTimeout(work, 50));
function drawRest() {
  const [next] = waiting.keys();
  if (!next) return;
  finish(next);
  idle(drawRest);
}

document.addEventListener("toggle", event => {
  if (!event.target.matches(PARTS)) return;
  fill();
  idle(drawRest);
}, true);

// ---- links into folded parts

function unfold(target) {
  for (let part = target?.matches(PARTS) ? target : target?.closest(PARTS); part; part = part.parentElement.closest(PARTS)) part.open = true;
  const own = target?.querySelector(":scope > details.fold");
  if (own) own.open = true;
  fill();
}

function linked(hash) { return document.getElementById(decodeURIComponent(hash.slice(1))); }

// before the browser goes there, so that it finds the place where it will be
document.addEventListener("click", event => {
  const link = event.target.closest("a[href^='#']");
  if (link) unfold(linked(link.hash));
});
addEventListener("hashchange", () => unfold(linked(location.hash)));

const all = document.getElementById("fold-all");
all.addEventListener("click", () => {
  const open = all.getAttribute("aria-pressed") !== "true";
  all.setAttribute("aria-pressed", String(open));
  all.textContent = open ? "Fold all" : "Open all";
  document.querySelectorAll(PARTS).forEach(part => { part.open = open; });
});

// ---- the filter over datasets and candidates

const opened = new Set(); // by the filter, which folds them again

function filterBy(wanted) {
  let shownRows = 0, allRows = 0;
  const found = [];
  for (const part of document.querySelectorAll("section.dataset")) {
    const name = part.dataset.dataset, named = name.toLowerCase().includes(wanted);
    const rows = [...part.querySelectorAll("table.board tbody tr")];
    rows.forEach(row => { row.hidden = !named && !row.dataset.candidate.toLowerCase().includes(wanted); });
    const kept = rows.filter(row => !row.hidden).length;
    document.querySelectorAll("[data-dataset]").forEach(one => { if (one.dataset.dataset === name) one.hidden = !kept; });
    if (kept && !named) found.push(part.querySelector("details.fold"));
    shownRows += kept; allRows += rows.length;
  }
  opened.forEach(part => { part.open = false; });
  opened.clear();
  if (found.length <= MOST_OPENED) found.filter(part => !part.open).forEach(part => { part.open = true; opened.add(part); });
  document.getElementById("filtered").textContent = wanted ? `${shownRows} of ${allRows} candidates` : "";
}
document.getElementById("filter").addEventListener("input", event => filterBy(event.target.value.trim().toLowerCase()));

// ---- where the reader is, in the navigation

const links = new Map([...document.querySelectorAll("nav.side a")].map(link => [linked(link.hash), link]));
const reading = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => {
  links.forEach(link => link.removeAttribute("aria-current"));
  links.get(entry.target).setAttribute("aria-current", "location");
}), { rootMargin: "-15% 0px -80% 0px" });
links.forEach((link, part) => reading.observe(part));

// ---- tables sort by a click on their header

function sortable(board) {
  const heads = [...board.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = node("button", { type: "button", class: "sort" }, head.textContent.trim());
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      board.tBodies[0].append(...sorted([...board.tBodies[0].rows], place, up));
    });
  });
}

function sorted(rows, place, up) {
  const text = row => row.cells[place].dataset.sort ?? row.cells[place].textContent.trim();
  const number = row => text(row) === "" || text(row) === "–" ? NaN : Number(text(row));
  const numeric = rows.every(row => text(row) === "" || text(row) === "–" || !isNaN(number(row)));
  return rows.sort((one, other) => {
    if (!numeric) return (up ? 1 : -1) * text(one).localeCompare(text(other), "en", { numeric: true });
    const [a, b] = [number(one), number(other)];
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b); // none goes last either way
    return (up ? 1 : -1) * (a - b);
  });
}
document.querySelectorAll("table.sortable").forEach(sortable);

// ---- theme and print

const themes = ["auto", "light", "dark"], themeButton = document.getElementById("theme");
function theme() { return document.documentElement.dataset.theme ?? "auto"; }
function setTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = name;
  themeButton.querySelector("span").textContent = name;
}
themeButton.addEventListener("click", () => setTheme(themes[(themes.indexOf(theme()) + 1) % 3]));

let folded = [], themeBefore;
addEventListener("beforeprint", () => {
  themeBefore = theme();
  setTheme("light");
  folded = [...document.querySelectorAll("details.fold:not([open], .by-hand)")]; // a comparison of two is printed where it is open
  folded.forEach(part => { part.open = true; });
  fill();
  [...waiting.keys()].forEach(finish);
});
addEventListener("afterprint", () => {
  folded.forEach(part => { part.open = false; });
  setTheme(themeBefore);
});
document.getElementById("print").addEventListener("click", () => print());

unfold(linked(location.hash));
if (location.hash) linked(location.hash)?.scrollIntoView();
idle(drawRest);
document.documentElement.dataset.ready = "yes";
