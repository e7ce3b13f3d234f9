"use strict";
// Two candidates of a dataset side by side. Every figure, the paired intervals too, was computed by compare_results.py.

function besideOf(parent) {
  if (parent.dataset.filled) return;
  parent.dataset.filled = "yes";
  const [one, other] = parent.querySelectorAll("select");
  const fill = () => showPair(parent.querySelector(".pair"), data[parent.dataset.beside].beside, one.value, other.value);
  one.addEventListener("change", fill);
  other.addEventListener("change", fill);
  fill();
}

function showPair(place, beside, one, other) {
  place.replaceChildren();
  if (one === other) return place.append(node("p", {}, "Choose two different candidates."));
  place.append(scrolled(`Metrics of ${one} and ${other}`, metricTable(beside, one, other)));
  place.append(node("p", { class: "soft small" },
    `Test scores with their 95 % intervals, on the same rows; a difference above 0 favours ${one}. Its interval comes from ${shown(beside.draws)} bootstrap draws of the rows, the same for both.`));
  const drawn = node("div", { class: "pictures" });
  pairCurves(drawn, beside, one, other);
  if (drawn.childElementCount) place.append(drawn);
  if (beside.confusion) place.append(matrices(beside.confusion, one, other));
  if (beside.slices.length) place.append(scrolled(`Slices under ${one} and ${other}`, sliceTable(beside, one, other)));
}

// a value above its interval
function withBounds(value, low, high) {
  const known = low !== null && shown(low) !== shown(high); // draws that are all alike say nothing
  return node("span", {}, shown(value), node("br"), node("span", { class: "soft" }, known ? `${shown(low)} to ${shown(high)}` : "–"));
}

function metricTable({ scores, pairs }, one, other) {
  const forward = pairs.find(pair => pair.one === one && pair.other === other);
  const { differences } = forward ?? pairs.find(pair => pair.one === other && pair.other === one);
  const rows = Object.entries(differences).map(([metric, [gain, low, high]]) => {
    if (!forward) [gain, low, high] = [negative(gain), negative(high), negative(low)];
    return [metric, withBounds(...scores[one][metric]), withBounds(...scores[other][metric]), withBounds(gain, low, high),
      verdict(one, other, gain, low, high)];
  });
  return table(["Metric", one, other, `${one} better by`, "Verdict"], rows, "paired");
}

function negative(value) { return value === null ? null : 0 - value; } // never -0

function verdict(one, other, gain, low, high) {
  if (low === null) return "not defined";
  if (low > 0) return `${one} is better`;
  if (high < 0) return `${other} is better`;
  return gain === 0 && low === high ? "no difference" : "may be chance";
}

function pairCurves(parent, { curves, dots: values, target }, one, other) {
  const both = kind => [one, other].filter(name => curves[name][kind]).map(name => ({ name, points: curves[name][kind] }));
  classCurves(parent, { roc: both("roc"), precision_recall: both("precision_recall"), calibration: both("calibration") });
  const tolerance = both("tolerance");
  if (tolerance.length) lines(parent, { title: "Share of rows within an error", note: "The higher the curve, the better.", series: tolerance,
    unit: false, xTitle: `error of at most, ${target}`, yTitle: "share of the rows", large: true });
  if (values[one] && values[other]) overlaidDots(parent, values, target, one, other);
}

function overlaidDots(parent, values, target, one, other) {
  const points = [one, other].flatMap((name, place) => values[name].map(([x, y]) => ({
    x, y, color: color(place), text: `${name}: actual ${shown(x)}, predicted ${shown(y)}` })));
  dots(parent, { title: "Predicted against actual", note: `Blue: ${one}. Orange: ${other}.`, diagonal: true, points,
    xTitle: `actual ${target}`, yTitle: `predicted ${target}`, header: ["candidate", "actual", "predicted"],
    rows: [one, other].flatMap(name => values[name].map(([x, y]) => [name, x, y])) });
}

function matrices({ labels, counts }, one, other) {
  const columns = node("div", { class: "columns" });
  for (const name of [one, other]) {
    const title = `Confusion matrix of ${name}, test rows`;
    columns.append(node("div", {}, node("h4", {}, title), scrolled(title, matrix(labels, counts[name]))));
  }
  return columns;
}

function matrix(labels, counts) {
  const made = table(["actual \\ predicted", ...labels], counts.map((row, place) => [labels[place], ...row]), "heat matrix");
  counts.forEach((row, actual) => {
    const total = row.reduce((sum, count) => sum + count, 0) || 1;
    row.forEach((count, place) => {
      const step = Math.ceil(5 * count / total);
      if (step) made.tBodies[0].rows[actual].cells[place + 1].classList.add(`h${step}`);
    });
  });
  return made;
}

function sliceTable({ metric, slices, on_slices: values }, one, other) {
  const rows = slices.map(({ where, rows: count }, place) => [where, count, values[one][place], values[other][place]]);
  return table(["Where", "test rows", `${metric} of ${one}`, `${metric} of ${other}`], rows, "parts");
}
