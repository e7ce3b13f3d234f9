"use strict";
// Pictures are drawn as SVG when their dataset comes into view; what they show stands in the tables and under "Data" as well.
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg", WIDTH = 400, DASHES = ["", "7 4", "2 3", "10 3 2 3", "4 2", "1 3", "12 4", "6 2 1 2"];
const tip = document.getElementById("tip");

// ---- small tools

function shown(value) {
  if (value === null || value === undefined) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(4)));
}

function node(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function mark(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

const color = number => `var(--s${number % 8})`;

function cut(text, most) { return text.length > most ? text.slice(0, most - 1) + "…" : text; }

function ticks(low, high, most = 5) {
  const rough = (high - low) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(one => one * power).find(one => one >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6; at += step) found.push(Number(at.toPrecision(10)));
  return found;
}

function scale(low, high, from, to) {
  const span = high - low || 1;
  const at = value => from + (value - low) / span * (to - from);
  return Object.assign(at, { low, high, ticks: ticks(low, high) });
}

function logScale(low, high, from, to) {
  low = Math.floor(Math.log10(low)); high = Math.ceil(Math.log10(high));
  if (low === high) high += 1;
  const at = value => from + (Math.log10(value) - low) / (high - low) * (to - from);
  const steps = [];
  for (let power = low; power <= high; power++) steps.push(10 ** power);
  return Object.assign(at, { low: 10 ** low, high: 10 ** high, ticks: steps });
}

// ---- a figure: caption, drawing, marks that pointer and keyboard reach, the same figures as a table

function figure(parent, { title, note, height, header, rows, marks }) {
  const frame = node("figure"), caption = node("figcaption", {}, title);
  if (note) caption.append(node("span", {}, note));
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  drawing.setAttribute("role", "img");
  drawing.setAttribute("tabindex", "0");
  drawing.setAttribute("aria-label", `${title}. ${note || ""} Arrow keys go from value to value; the table follows.`);
  frame.append(caption, drawing);
  const points = [];                                      // {x, y, text, on}: where a mark is and what it says
  marks(drawing, points, frame);
  reachable(drawing, points);
  const more = node("details", {}, node("summary", {}, "Data"));
  more.addEventListener("toggle", () => {
    if (!more.open || more.querySelector("table")) return;
    const body = node("tbody");
    for (const row of rows) body.append(node("tr", {}, ...row.map((cell, place) => place
      ? node("td", { class: typeof cell === "number" ? "num" : "" }, typeof cell === "number" ? shown(cell) : cell ?? "–")
      : node("th", { scope: "row" }, typeof cell === "number" ? shown(cell) : cell))));
    more.append(node("div", { class: "wide", tabindex: "0", role: "group", "aria-label": title }, node("table", {},
      node("thead", {}, node("tr", {}, ...header.map(text => node("th", { scope: "col" }, text)))), body)));
  });
  frame.append(more);
  parent.append(frame);
}

function reachable(drawing, points) {
  let now = -1, ring = null;
  const clear = () => { ring?.remove(); ring = null; tip.hidden = true; };
  const show = place => {
    const point = points[place];
    clear();
    now = place;
    ring = mark(drawing, "circle", { class: "now", cx: point.x, cy: point.y, r: 6, fill: "none" });
    tip.textContent = point.text;
    tip.hidden = false;
    const box = drawing.getBoundingClientRect(), unit = box.width / WIDTH;
    const left = box.left + point.x * unit + 12, width = tip.offsetWidth;
    tip.style.left = `${scrollX + Math.max(4, Math.min(left, document.documentElement.clientWidth - width - 8))}px`;
    tip.style.top = `${scrollY + box.top + point.y * unit - tip.offsetHeight - 8}px`;
  };
  const live = () => points.map((point, place) => place).filter(place => !points[place].on || points[place].on());
  drawing.addEventListener("pointermove", event => {
    const box = drawing.getBoundingClientRect(), unit = WIDTH / box.width;
    const x = (event.clientX - box.left) * unit, y = (event.clientY - box.top) * unit;
    let nearest = -1, least = 30 ** 2;
    for (const place of live()) {
      const point = points[place];
      const far = (point.x - x) ** 2 * (point.row ? 0 : 1) + (point.y - y) ** 2 * (point.row ? 4 : 1);
      if (far < least) { least = far; nearest = place; }
    }
    if (nearest < 0) clear(); else if (nearest !== now || tip.hidden) show(nearest);
  });
  drawing.addEventListener("pointerleave", clear);
  drawing.addEventListener("blur", clear);
  drawing.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const there = live();
    if (event.key === "Escape") return clear();
    if (!there.length || !step && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    const at = there.indexOf(now);
    show(event.key === "Home" ? there[0] : event.key === "End" ? there.at(-1)
      : there[at < 0 ? 0 : (at + step + there.length) % there.length]);
  });
}

function axes(drawing, x, y, { left, right, top, bottom, xTitle, yTitle, xText = shown, yText = shown }) {
  for (const value of x.ticks) {
    mark(drawing, "line", { class: "axis", x1: x(value), x2: x(value), y1: top, y2: bottom });
    mark(drawing, "text", { x: x(value), y: bottom + 15, "text-anchor": "middle" }, xText(value));
  }
  for (const value of y ? y.ticks : []) {
    mark(drawing, "line", { class: "axis", x1: left, x2: right, y1: y(value), y2: y(value) });
    mark(drawing, "text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, yText(value));
  }
  mark(drawing, "text", { x: (left + right) / 2, y: bottom + 32, "text-anchor": "middle" }, xTitle);
  if (yTitle) mark(drawing, "text", { x: left, y: top - 8, "text-anchor": "start" }, yTitle);
}

const short = value => Math.abs(value) >= 1e6 ? `${value / 1e6}M` : Math.abs(value) >= 1e4 ? `${value / 1e3}k` : shown(value);

// ---- kinds of pictures

function bars(parent, { title, note, items, xTitle, header, rows, signed, guide }) {
  const row = Math.max(22, Math.min(36, 200 / items.length)), longest = Math.max(...items.map(item => item.name.length));
  const left = Math.min(168, 20 + 6 * longest), right = WIDTH - 14, top = 6, bottom = top + row * items.length;
  figure(parent, { title, note, height: bottom + 38, header, rows, marks: (drawing, points) => {
    const ends = [...items.flatMap(item => [item.value, item.low ?? item.value, item.high ?? item.value]), ...(guide ? [guide] : [])];
    const low = Math.min(signed ? 0 : Infinity, ...ends), high = Math.max(signed ? 0 : -Infinity, ...ends);
    const room = (high - low || Math.abs(high) || 1) * 0.05;
    const x = scale(signed && low >= 0 ? 0 : low - room, high + room, left, right);
    axes(drawing, x, null, { left, right, top, bottom, xTitle, xText: short });
    items.forEach((item, number) => {
      const y = top + row * (number + 0.5), paint = item.color ?? color(0);
      mark(drawing, "text", { class: "name", x: left - 8, y: y + 4, "text-anchor": "end" }, cut(item.name, 25));
      if (signed) {
        mark(drawing, "rect", { class: "mark", x: Math.min(x(0), x(item.value)), y: y - 6, height: 12, rx: 2, fill: paint,
                                width: Math.max(1, Math.abs(x(item.value) - x(0))) });
      } else {
        mark(drawing, "line", { stroke: paint, "stroke-width": 3, "stroke-opacity": .45, x1: x(item.low), x2: x(item.high), y1: y, y2: y });
        mark(drawing, "circle", { class: "mark", cx: x(item.value), cy: y, r: 5, fill: paint });
      }
      points.push({ x: x(item.value), y, text: item.text, row: true });
    });
    if (signed) mark(drawing, "line", { class: "zero", x1: x(0), x2: x(0), y1: top, y2: bottom });
    if (guide) mark(drawing, "line", { class: "guide", x1: x(guide), x2: x(guide), y1: top, y2: bottom });
  } });
}

function lines(parent, { title, note, series, xTitle, yTitle, diagonal, fitted, unit = true, steps }) {
  const left = 46, right = WIDTH - 14, top = 24, bottom = 250, hidden = new Set();
  const rows = series.flatMap(one => one.points.map(([x, y]) => [one.name, x, y]));
  figure(parent, { title, note, height: bottom + 38, header: ["Curve", xTitle, yTitle], rows, marks: (drawing, points, frame) => {
    const dots = series.flatMap(one => one.dots ?? []), xs = [...rows.map(row => row[1]), ...dots.map(dot => dot[0])];
    const ys = [...rows.map(row => row[2]), ...dots.map(dot => dot[1])];
    const most = fitted && Math.max(...xs, ...ys) < 0.5 ? Math.max(...xs, ...ys) : 1;        // a rare class would be a dot in a corner
    const x = unit ? scale(0, most, left, right) : scale(Math.min(...xs), Math.max(...xs), left, right);
    const room = (Math.max(...ys) - Math.min(...ys) || 1) * 0.08;
    const y = unit ? scale(0, most, bottom, top) : scale(Math.min(...ys) - room, Math.max(...ys) + room, bottom, top);
    axes(drawing, x, y, { left, right, top, bottom, xTitle, yTitle, xText: short, yText: short });
    if (diagonal) mark(drawing, "line", { class: "guide", x1: x(0), y1: y(0), x2: x(most), y2: y(most) });
    const legend = node("ul", { class: "legend", "aria-label": "Curves shown" });
    series.forEach((one, number) => {
      const way = one.points.map(([a, b], place) => `${!place ? "M" : steps ? `H${x(a).toFixed(1)}V` : "L"}${
        !place || !steps ? `${x(a).toFixed(1)} ` : ""}${y(b).toFixed(1)}`).join("");
      const group = mark(drawing, "g", {});
      for (const [a, b] of one.dots ?? []) {
        mark(group, "circle", { class: "dot", cx: x(a), cy: y(b), r: 3, fill: color(number) });
        points.push({ x: x(a), y: y(b), on: () => !hidden.has(number), text: `${one.name}: ${xTitle} ${shown(a)}, ${yTitle} ${shown(b)}` });
      }
      mark(group, "path", { class: "line mark", d: way, stroke: color(number), "stroke-dasharray": DASHES[number % 8] });
      for (const [a, b] of one.points) points.push({ x: x(a), y: y(b), on: () => !hidden.has(number),
        text: `${one.name}: ${xTitle} ${shown(a)}, ${yTitle} ${shown(b)}` });
      const button = node("button", { type: "button", "aria-pressed": "true" });
      const sample = document.createElementNS(SVG, "svg");
      sample.setAttribute("viewBox", "0 0 26 10");
      sample.setAttribute("aria-hidden", "true");
      mark(sample, "line", { x1: 0, x2: 26, y1: 5, y2: 5, stroke: color(number), "stroke-width": 3, "stroke-dasharray": DASHES[number % 8] });
      button.append(sample, one.name);
      button.addEventListener("click", () => {
        const on = hidden.delete(number) || (hidden.add(number), false);
        button.setAttribute("aria-pressed", String(on));
        group.style.display = on ? "" : "none";
      });
      legend.append(node("li", {}, button));
    });
    if (series.length > 1) frame.append(legend);
  } });
}

function dots(parent, { title, note, points: values, xTitle, yTitle, header, rows, diagonal, log, large }) {
  const left = 50, right = WIDTH - 16, top = 24, bottom = 250;
  figure(parent, { title, note, height: bottom + 38, header, rows, marks: (drawing, points) => {
    const xs = values.map(one => one.x), ys = values.map(one => one.y);
    const room = (list, part) => (Math.max(...list) - Math.min(...list) || 1) * part;
    let x, y;
    if (diagonal) {
      const low = Math.min(...xs, ...ys), high = Math.max(...xs, ...ys);
      x = scale(low, high, left, right); y = scale(low, high, bottom, top);
    } else {
      x = log ? logScale(Math.min(...xs), Math.max(...xs), left, right) : scale(Math.min(...xs), Math.max(...xs), left, right);
      y = scale(Math.min(...ys) - room(ys, .08), Math.max(...ys) + room(ys, .08), bottom, top);
    }
    axes(drawing, x, y, { left, right, top, bottom, xTitle, yTitle, xText: short, yText: short });
    if (diagonal) mark(drawing, "line", { class: "guide", x1: x(x.low), y1: y(x.low), x2: x(x.high), y2: y(x.high) });
    const named = [];
    for (const one of values) {
      mark(drawing, "circle", { class: "mark", cx: x(one.x), cy: y(one.y), r: large ? 6 : 3, fill: one.color ?? color(0), "fill-opacity": large ? 1 : .55 });
      if (large) {                                        // a name where there is room for it
        const text = cut(one.name, 22), width = text.length * 6.2;
        const place = [[9, 4], [-9, 4], [0, -10], [0, 19], [9, -8], [-9, 17]].map(([dx, dy]) => {
          const start = x(one.x) + dx - (dx < 0 ? width : dx ? 0 : width / 2);
          return { dx, dy, start, end: start + width, y: y(one.y) + dy };
        }).find(at => at.start > left && at.end < WIDTH + 4 && at.y > top && at.y < bottom
          && !named.some(other => Math.abs(other.y - at.y) < 12 && other.start < at.end && other.end > at.start)
          && !values.some(other => other !== one && Math.abs(y(other.y) - at.y + 4) < 11 && x(other.x) > at.start - 6 && x(other.x) < at.end + 6));
        if (place) {
          named.push(place);
          mark(drawing, "text", { class: "name", x: x(one.x) + place.dx, y: place.y,
            "text-anchor": place.dx < 0 ? "end" : place.dx ? "start" : "middle" }, text);
        }
      }
      points.push({ x: x(one.x), y: y(one.y), text: one.text });
    }
  } });
}

// ---- the pictures of one dataset

function draw(parent) {
  if (parent.dataset.drawn) return;
  parent.dataset.drawn = "yes";
  const one = data[parent.dataset.pictures], better = one.lower ? "lower is better" : "higher is better";
  const all = one.models.filter(model => model.cv !== null), guess = all.find(model => model.name === "dummy");
  const scored = all.length > 2 ? all.filter(model => model !== guess) : all;         // beside it the others would be one dot
  bars(parent, { title: `Candidates by cross-validated ${one.metric}`,
    note: `Mean and deviation over the folds; ${better}.${guess && scored !== all ? ` Guessing: ${shown(guess.cv)}.` : ""}`, xTitle: `cv ${one.metric}`,
    header: ["Model", "cv", "±"], rows: all.map(model => [model.name, model.cv, model.std]),
    items: scored.slice(0, 20).map(model => ({ name: model.name, value: model.cv, low: model.cv - model.std, high: model.cv + model.std,
      color: model.name === one.best ? color(1) : color(0), text: `${model.name}: ${shown(model.cv)} ± ${shown(model.std)}` })) });
  const timed = scored.filter(model => model.ms > 0);
  if (timed.length > 1) {
    dots(parent, { title: "Quality against prediction time", note: `${one.lower ? "Bottom" : "Top"} left is best; time on a logarithmic scale.`, large: true, log: true,
      xTitle: "ms for 1,000 rows", yTitle: `cv ${one.metric}`, header: ["Model", "ms for 1,000 rows", `cv ${one.metric}`],
      rows: timed.map(model => [model.name, model.ms, model.cv]),
      points: timed.map(model => ({ x: model.ms, y: model.cv, name: model.name, color: model.name === one.best ? color(1) : color(0),
        text: `${model.name}: ${shown(model.cv)}, ${shown(model.ms)} ms` })) });
  }
  if (one.course.length) lines(parent, { title: "Course of the tuning", note: `Lines: the best value so far; dots: the better half of the trials; ${better}.`, unit: false, steps: true, xTitle: "trial",
    yTitle: `cv ${one.metric}`, series: one.course });
  if (one.roc?.length) lines(parent, { title: "ROC", note: "Right and wrong alarms at every threshold.", diagonal: true, series: one.roc,
    xTitle: "false positive rate", yTitle: "true positive rate" });
  if (one.precision_recall?.length) lines(parent, { title: "Precision and recall", note: "At every threshold.", series: one.precision_recall,
    xTitle: "recall", yTitle: "precision" });
  if (one.calibration?.length) lines(parent, { title: "Calibration", note: "On the diagonal, a probability means what it says.", diagonal: true, fitted: true, series: one.calibration,
    xTitle: "mean predicted probability", yTitle: "share of the class" });
  if (one.tolerance?.length) lines(parent, { title: "Share of rows within an error", note: "On the test rows; the higher the curve, the better.", series: one.tolerance,
    unit: false, xTitle: `error of at most, ${one.target}`, yTitle: "share of the rows" });
  if (one.dots?.length) dots(parent, { title: "Predicted against actual", note: `${one.best} on ${one.dots.length} of the test rows.`, diagonal: true,
    xTitle: `actual ${one.target}`, yTitle: `predicted ${one.target}`, header: ["actual", "predicted"], rows: one.dots,
    points: one.dots.map(([x, y]) => ({ x, y, text: `actual ${shown(x)}, predicted ${shown(y)}` })) });
  const weighty = one.importance.filter(([, value]) => value !== null).slice(0, 12);
  if (weighty.length) bars(parent, { title: "Permutation importance", note: `What ${one.best} loses of the test ${one.metric} when a column is shuffled.${one.explained}`, signed: true,
    xTitle: `loss of ${one.metric}`, header: ["Column", "loss"], rows: weighty,
    items: weighty.map(([name, value]) => ({ name, value, text: `${name}: ${shown(value)}` })) });
  if (one.shap) {
    const directed = one.shap.columns.some(([, , direction]) => direction !== null);
    const way = direction => direction === null ? "no one direction" : direction > .3 ? "high values raise it" : direction < -.3 ? "high values lower it" : "no one direction";
    bars(parent, { title: "SHAP: what moves the prediction", signed: true, xTitle: `mean |SHAP|, ${one.shap.unit}`,
      note: `${one.best} on ${one.shap.rows} test rows${directed ? ". Orange: high values raise the prediction, blue: they lower it, grey: neither." : one.shap.unit === "probability" ? ", mean over the classes." : "."}${one.explained}`,
      header: ["Column", "mean |SHAP|", "direction"], rows: one.shap.columns.map(([name, size, direction]) => [name, size, way(direction)]),
      items: one.shap.columns.slice(0, 12).map(([name, size, direction]) => ({ name, value: size,
        color: direction > .3 ? color(1) : direction < -.3 ? color(0) : color(7), text: `${name}: ${shown(size)}, ${way(direction)}` })) });
  }
  if (one.drift.length) bars(parent, { title: "Drift: effect size against its threshold", signed: true, guide: 1,
    note: "Target, predictions and the columns nearest to drift. Past the line, one has drifted if a test agrees; those are orange.",
    xTitle: "effect size / threshold", header: ["Column", "Role", "effect size / threshold", "Verdict"], rows: one.drift,
    items: one.drift.map(([name, role, score, verdict]) => ({ name, value: score,
      color: verdict === "drift" ? color(1) : color(0), text: `${name}, ${role}: ${shown(score)}, ${verdict}` })) });
}

const pictures = [...document.querySelectorAll("[data-pictures]")];
const seen = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => draw(entry.target)), { rootMargin: "400px" });
pictures.forEach(one => seen.observe(one));

// ---- tables sort by a click on their header

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const value = (row, place) => row.cells[place].dataset.sort ?? row.cells[place].textContent.trim();
  heads.forEach((head, place) => {
    const button = node("button", { type: "button", class: "sort" }, head.textContent.trim());
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows], number = text => text === "" || text === "–" ? NaN : Number(text);
      const numeric = rows.every(row => { const text = value(row, place); return text === "" || text === "–" || !isNaN(number(text)); });
      rows.sort((one, other) => {
        const [a, b] = [value(one, place), value(other, place)];
        if (!numeric) return (up ? 1 : -1) * a.localeCompare(b, "en", { numeric: true });
        if (isNaN(number(a)) || isNaN(number(b))) return isNaN(number(a)) - isNaN(number(b));     // none goes last either way
        return (up ? 1 : -1) * (number(a) - number(b));
      });
      body.append(...rows);
    });
  });
}
document.querySelectorAll("table.sortable").forEach(sortable);

// ---- the page: theme, print, filter, links into folded parts

const themes = ["auto", "light", "dark"], button = document.getElementById("theme");
function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = theme;
  button.querySelector("span").textContent = theme;
}
button.addEventListener("click", () => setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % 3]));

let folded = [], theme;
addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme ?? "auto";
  setTheme("light");
  folded = [...document.querySelectorAll("section > details:not([open]), details.more:not([open])")];
  folded.forEach(one => { one.open = true; });
  pictures.forEach(draw);
});
addEventListener("afterprint", () => { folded.forEach(one => { one.open = false; }); setTheme(theme); });
document.getElementById("print").addEventListener("click", () => print());

document.getElementById("filter")?.addEventListener("input", event => {
  const text = event.target.value.trim().toLowerCase();
  for (const one of document.querySelectorAll("[data-dataset]")) one.hidden = !one.dataset.dataset.toLowerCase().includes(text);
});

function unfold() {
  const details = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.querySelector(":scope > details");
  if (details) details.open = true;
}
addEventListener("hashchange", unfold);
document.querySelectorAll("a[href^='#d-']").forEach(link => link.addEventListener("click", () => setTimeout(unfold)));
unfold();
document.documentElement.dataset.ready = "yes";
})();
