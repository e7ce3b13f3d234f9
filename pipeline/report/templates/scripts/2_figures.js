"use strict";
// Kinds of figures. Each takes its room on the page at once and is drawn when it is about to be seen, or when there is time for it.

const WIDTH = PHONE ? 340 : 520;
const DASHES = ["", "7 4", "2 3", "10 3 2 3", "4 2", "1 3", "12 4", "6 2 1 2"];
const color = number => `var(--s${number % 8})`;
const waiting = new Map(); // drawing: what draws it

const soon = new IntersectionObserver(
  entries => entries.filter(entry => entry.isIntersecting).forEach(entry => finish(entry.target)), { rootMargin: "600px" });

function finish(drawing) {
  waiting.get(drawing)?.();
  waiting.delete(drawing);
  soon.unobserve(drawing);
}

// ---- a figure: caption, drawing, what the mark under the pointer says, the same figures as a table

function figure(parent, { title, note, height, header, rows, marks, beside }) {
  const frame = node("figure"), caption = node("figcaption", {}, title);
  if (note) caption.append(node("span", {}, note));
  const drawing = mark(frame, "svg", {
    viewBox: `0 0 ${WIDTH} ${height}`, role: "img", tabindex: "0",
    "aria-label": `${title}. ${note || ""} Arrow keys go from value to value; the table follows.`,
  });
  const said = node("p", { class: "said", role: "status" });
  frame.prepend(caption);
  frame.append(said);
  if (beside) frame.append(beside);
  frame.append(tableOf(title, header, rows));
  parent.append(frame);
  waiting.set(drawing, () => {
    const points = []; // {x, y, text, on}: where a mark is, what it says, whether it is shown
    marks(drawing, points);
    reachable(drawing, points, said);
  });
  soon.observe(drawing);
}

function tableOf(title, header, rows) {
  const more = node("details", {}, node("summary", { "aria-label": `Data of ${title}` }, "Data"));
  more.addEventListener("toggle", () => {
    if (more.open && !more.querySelector("table")) more.append(scrolled(title, table(header, rows)));
  });
  return more;
}

// what a mark says stands below the drawing, where it covers no other mark
function reachable(drawing, points, said) {
  let now = -1, ring = null;
  const clear = () => { ring?.remove(); ring = null; now = -1; said.textContent = ""; };
  const show = place => {
    clear();
    now = place;
    ring = mark(drawing, "circle", { class: "now", cx: points[place].x, cy: points[place].y, r: 7, fill: "none" });
    said.textContent = points[place].text;
  };
  const live = () => [...points.keys()].filter(place => !points[place].on || points[place].on());
  drawing.addEventListener("pointermove", event => {
    const nearest = nearestPoint(drawing, points, live(), event);
    if (nearest < 0) clear(); else if (nearest !== now) show(nearest);
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

function nearestPoint(drawing, points, live, event) {
  const box = drawing.getBoundingClientRect(), unit = WIDTH / box.width;
  const x = (event.clientX - box.left) * unit, y = (event.clientY - box.top) * unit;
  let nearest = -1, least = 30 ** 2;
  for (const place of live) {
    const point = points[place];
    const far = (point.x - x) ** 2 * (point.row ? 0 : 1) + (point.y - y) ** 2 * (point.row ? 4 : 1);
    if (far < least) { least = far; nearest = place; }
  }
  return nearest;
}

function axes(drawing, x, y, { left, right, top, bottom, xTitle, yTitle }) {
  for (const value of x.ticks) {
    mark(drawing, "line", { class: "axis", x1: x(value), x2: x(value), y1: top, y2: bottom });
    mark(drawing, "text", { x: x(value), y: bottom + 16, "text-anchor": "middle" }, short(value));
  }
  for (const value of y ? y.ticks : []) {
    mark(drawing, "line", { class: "axis", x1: left, x2: right, y1: y(value), y2: y(value) });
    mark(drawing, "text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value));
  }
  mark(drawing, "text", { x: (left + right) / 2, y: bottom + 34, "text-anchor": "middle" }, xTitle);
  if (yTitle) mark(drawing, "text", { x: 4, y: top - 10, "text-anchor": "start" }, yTitle);
}

// ---- bars from zero, or values with their spread

function bars(parent, { title, note, items, xTitle, header, rows, signed, guide, range }) {
  const row = Math.max(22, Math.min(36, 200 / items.length)), longest = Math.max(...items.map(item => widthOf(cut(item.name, 25))));
  const left = Math.min(WIDTH * 0.45, 20 + longest), right = WIDTH - 16, top = 6, bottom = top + row * items.length;
  figure(parent, { title, note, height: bottom + 40, header, rows, marks: (drawing, points) => {
    const ends = items.flatMap(item => [item.value, item.low ?? item.value, item.high ?? item.value]);
    if (guide) ends.push(guide);
    if (signed) ends.push(0);
    const x = roomy(ends, left, right, 0.05, signed && Math.min(...ends) >= 0 ? [0, null] : range);
    axes(drawing, x, null, { left, right, top, bottom, xTitle });
    items.forEach((item, number) => {
      const y = top + row * (number + 0.5), fill = item.color ?? color(0);
      mark(drawing, "text", { class: "name", x: left - 8, y: y + 4, "text-anchor": "end" }, cut(item.name, 25));
      if (signed) {
        const width = Math.max(1, Math.abs(x(item.value) - x(0)));
        mark(drawing, "rect", { class: "mark", x: Math.min(x(0), x(item.value)), y: y - 6, height: 12, rx: 2, fill, width });
      } else {
        mark(drawing, "line", { class: "spread", stroke: fill, x1: x(item.low), x2: x(item.high), y1: y, y2: y });
        mark(drawing, "circle", { class: "mark", cx: x(item.value), cy: y, r: 5, fill });
      }
      points.push({ x: x(item.value), y, text: item.text, row: true });
    });
    if (signed) mark(drawing, "line", { class: "zero", x1: x(0), x2: x(0), y1: top, y2: bottom });
    if (guide) mark(drawing, "line", { class: "guide", x1: x(guide), x2: x(guide), y1: top, y2: bottom });
  } });
}

// ---- curves, with a legend beside the drawing whose buttons hide and show them

function lines(parent, { title, note, series, xTitle, yTitle, diagonal, fitted, unit = true, steps, large, named }) {
  const left = 52, right = WIDTH - 16, top = 26, bottom = large ? WIDTH * 0.72 : 250, hidden = new Set();
  const { header, rows, textOf } = named ?? {
    header: ["Curve", xTitle, yTitle],
    rows: series.flatMap(one => one.points.map(([x, y]) => [one.name, x, y])),
    textOf: (one, [x, y]) => `${one.name}: ${xTitle} ${shown(x)}, ${yTitle} ${shown(y)}`,
  };
  const groups = [];
  const hide = (number, on) => {
    if (on) hidden.delete(number); else hidden.add(number);
    if (groups[number]) groups[number].style.display = on ? "" : "none";
  };
  const beside = series.length > 1 ? legend(series, hide) : null;
  figure(parent, { title, note, height: bottom + 40, header, rows, beside, marks: (drawing, points) => {
    const all = series.flatMap(one => [...one.points, ...one.dots ?? []]);
    const xs = all.map(point => point[0]), ys = all.map(point => point[1]);
    const largest = Math.max(...xs, ...ys), most = fitted && largest < 0.5 ? largest : 1; // a rare class would be a dot in a corner
    const x = unit ? scale(0, most, left, right) : scale(Math.min(...xs), Math.max(...xs), left, right);
    const y = unit ? scale(0, most, bottom, top) : roomy(ys, bottom, top, 0.08);
    if (xs.every(Number.isInteger)) x.ticks = x.ticks.filter(Number.isInteger); // there is no trial 2.5
    axes(drawing, x, y, { left, right, top, bottom, xTitle, yTitle });
    if (diagonal) mark(drawing, "line", { class: "guide", x1: x(0), y1: y(0), x2: x(most), y2: y(most) });
    series.forEach((one, number) => {
      const group = groups[number] = mark(drawing, "g", {}), stroke = color(number);
      for (const [a, b] of one.dots ?? []) mark(group, "circle", { class: "dot", cx: x(a), cy: y(b), r: 3, fill: stroke });
      mark(group, "path", { class: "line mark", d: way(one.points, x, y, steps), stroke, "stroke-dasharray": DASHES[number % 8] });
      for (const point of [...one.dots ?? [], ...one.points]) {
        points.push({ x: x(point[0]), y: y(point[1]), on: () => !hidden.has(number), text: textOf(one, point) });
      }
      hide(number, !hidden.has(number));
    });
  } });
}

function way(points, x, y, steps) {
  return points.map(([a, b], place) => {
    const across = x(a).toFixed(1), up = y(b).toFixed(1);
    if (!place) return `M${across} ${up}`;
    return steps ? `H${across}V${up}` : `L${across} ${up}`;
  }).join("");
}

function legend(series, hide) {
  const list = node("ul", { class: "legend", "aria-label": "Curves shown" });
  series.forEach((one, number) => {
    const button = node("button", { type: "button", "aria-pressed": "true" });
    const sample = mark(button, "svg", { viewBox: "0 0 26 10", "aria-hidden": "true" });
    mark(sample, "line", { x1: 0, x2: 26, y1: 5, y2: 5, stroke: color(number), "stroke-width": 3, "stroke-dasharray": DASHES[number % 8] });
    button.append(one.name);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      hide(number, on);
    });
    list.append(node("li", {}, button));
  });
  return list;
}

// ---- dots, named where there are few

function dots(parent, { title, note, points: values, xTitle, yTitle, header, rows, diagonal, log, named, range, beside }) {
  const left = 56, right = WIDTH - 18, top = 26, bottom = 270;
  figure(parent, { title, note, height: bottom + 40, header, rows, beside, marks: (drawing, points) => {
    const xs = values.map(one => one.x), ys = values.map(one => one.y), both = [...xs, ...ys];
    let x = scale(Math.min(...both), Math.max(...both), left, right), y = scale(x.low, x.high, bottom, top);
    if (!diagonal) {
      x = (log ? logScale : scale)(Math.min(...xs), Math.max(...xs), left, right);
      y = roomy(ys, bottom, top, 0.08, range);
    }
    axes(drawing, x, y, { left, right, top, bottom, xTitle, yTitle });
    if (diagonal) mark(drawing, "line", { class: "guide", x1: x(x.low), y1: y(x.low), x2: x(x.high), y2: y(x.high) });
    const placed = values.map(one => ({ ...one, x: x(one.x), y: y(one.y) }));
    for (const one of placed) {
      mark(drawing, "circle", { class: "mark", cx: one.x, cy: one.y, r: named ? 6 : 3, fill: one.color ?? color(0), "fill-opacity": named ? 1 : .55 });
      points.push({ x: one.x, y: one.y, text: one.text });
    }
    if (named) nameDots(drawing, placed, { left: left + 2, right: WIDTH - 2, top: 14, bottom: bottom - 2 });
  } });
}

// near a dot where there is room, else further off with a line to it; where there is none, the value below and the table name it
const NEAR = [[11, 4], [-11, 4], [0, -11], [0, 20]];
const FAR = [[16, -21], [16, 28], [-16, -21], [-16, 28], [30, -36], [30, 44], [-30, -36], [-30, 44], [44, -60], [44, 66], [-44, -60], [-44, 66]];

function nameDots(drawing, placed, room) {
  const taken = placed.map(one => ({ start: one.x - 7, end: one.x + 7, top: one.y - 7, bottom: one.y + 7 }));
  for (const one of placed) {
    const text = cut(one.name, 26), width = widthOf(text);
    const boxes = [...NEAR, ...FAR].map(([dx, dy]) => {
      const start = one.x + dx - (dx < 0 ? width : dx ? 0 : width / 2), base = one.y + dy;
      return { dx, dy, start, end: start + width, top: base - 11, bottom: base + 3 };
    });
    const box = boxes.find(at => at.start > room.left && at.end < room.right && at.top > room.top && at.bottom < room.bottom
      && !taken.some(other => other.start < at.end + 2 && other.end > at.start - 2 && other.top < at.bottom && other.bottom > at.top));
    if (!box) continue;
    taken.push(box);
    if (Math.abs(box.dy) > 20) {
      const end = box.dx < 0 ? box.end + 2 : box.start - 2;
      mark(drawing, "line", { class: "lead", x1: one.x, y1: one.y, x2: end, y2: (box.top + box.bottom) / 2 });
    }
    const anchor = box.dx < 0 ? "end" : box.dx ? "start" : "middle";
    mark(drawing, "text", { class: "name", x: one.x + box.dx, y: one.y + box.dy, "text-anchor": anchor }, text);
  }
}
