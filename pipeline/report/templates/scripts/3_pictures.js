"use strict";
// The pictures of one dataset, each left out where there is nothing to draw.

function candidatesPicture(parent, one, all, scored, better) {
  const guess = all.find(model => !scored.includes(model));
  const [least, most] = one.range, inside = value => Math.min(Math.max(value, least ?? -Infinity), most ?? Infinity);
  bars(parent, {
    title: `Candidates by cross-validated ${one.metric}`, xTitle: `cv ${one.metric}`, range: one.range,
    note: `Mean and standard deviation over the folds; ${better}.${guess ? ` Guessing: ${shown(guess.cv)}.` : ""}`,
    header: ["Model", "cv", "±"], rows: all.map(model => [model.name, model.cv, model.std]),
    items: scored.slice(0, 20).map(model => ({
      name: model.name, value: model.cv, low: inside(model.cv - model.std), high: inside(model.cv + model.std),
      color: color(model.name === one.best ? 1 : 0), text: `${model.name}: ${shown(model.cv)} ± ${shown(model.std)}` })),
  });
}

function timesPicture(parent, one, scored) {
  const timed = scored.filter(model => model.ms > 0);
  if (timed.length < 2) return;
  dots(parent, {
    title: "Quality against prediction time", note: `${one.lower ? "Bottom" : "Top"} left is best; time on a logarithmic scale.`,
    named: true, log: true, range: one.range, xTitle: "ms for 1,000 rows", yTitle: `cv ${one.metric}`,
    header: ["Model", "ms for 1,000 rows", `cv ${one.metric}`], rows: timed.map(model => [model.name, model.ms, model.cv]),
    points: timed.map(model => ({ x: model.ms, y: model.cv, name: model.name, color: color(model.name === one.best ? 1 : 0),
      text: `${model.name}: ${shown(model.cv)}, ${shown(model.ms)} ms` })),
  });
}

function curvePictures(parent, one, better) {
  if (one.course.length) lines(parent, { title: "Tuning history", unit: false, steps: true, xTitle: "trial", yTitle: `cv ${one.metric}`,
    note: `Lines: best value so far. Dots: the better half of the trials. ${better[0].toUpperCase()}${better.slice(1)}.`, series: one.course });
  classCurves(parent, one);
  if (one.tolerance?.length) lines(parent, { title: "Share of rows within an error", note: "On the test rows; the higher the curve, the better.",
    series: one.tolerance, unit: false, xTitle: `error of at most, ${one.target}`, yTitle: "share of the rows", large: true });
}

function classCurves(parent, { roc, precision_recall, calibration }) {
  if (roc?.length) lines(parent, { title: "ROC", note: "True and false positive rates at every threshold.", diagonal: true, large: true,
    series: roc, xTitle: "false positive rate", yTitle: "true positive rate" });
  if (precision_recall?.length) lines(parent, { title: "Precision and recall", note: "At every threshold.", large: true,
    series: precision_recall, xTitle: "recall", yTitle: "precision" });
  if (calibration?.length) lines(parent, { title: "Calibration", note: "On the diagonal, predicted probabilities equal observed shares.", diagonal: true,
    fitted: true, series: calibration, xTitle: "mean predicted probability", yTitle: "share of the class" });
}

function dotsPicture(parent, one) {
  if (!one.dots?.length) return;
  dots(parent, {
    title: "Predicted against actual", note: `${one.best} on ${one.dots.length} of the test rows.`, diagonal: true,
    xTitle: `actual ${one.target}`, yTitle: `predicted ${one.target}`, header: ["actual", "predicted"], rows: one.dots,
    points: one.dots.map(([x, y]) => ({ x, y, text: `actual ${shown(x)}, predicted ${shown(y)}` })),
  });
}

function importancePicture(parent, one) {
  const weighty = one.importance.filter(([, value]) => value !== null).slice(0, 12);
  if (!weighty.length) return;
  bars(parent, {
    title: "Permutation importance", signed: true, xTitle: `loss of ${one.metric}`, header: ["Column", "loss"], rows: weighty,
    note: `How much worse the test ${one.metric} of ${one.best} gets when a column is shuffled.${one.explained}`,
    items: weighty.map(([name, value]) => ({ name, value, text: `${name}: ${shown(value)}` })),
  });
}

const CLEAR = .3; // correlation from which on a column has a direction

function direction(correlation) {
  if (correlation > CLEAR) return { words: "high values raise it", color: color(1) };
  if (correlation < -CLEAR) return { words: "high values lower it", color: color(0) };
  return { words: "no one direction", color: color(7) };
}

function shapPicture(parent, one) {
  if (!one.shap) return;
  const { rows, unit, columns } = one.shap, directed = columns.some(([, , correlation]) => correlation !== null);
  const colours = ". Orange: high values raise the prediction, blue: they lower it, grey: neither.";
  const note = directed ? colours : unit === "probability" ? ", mean over the classes." : ".";
  bars(parent, {
    title: "SHAP: what moves the prediction", signed: true, xTitle: `mean |SHAP|, ${unit}`,
    note: `${one.best} on ${rows} test rows${note}${one.explained}`, header: ["Column", "mean |SHAP|", "direction"],
    rows: columns.map(([name, size, correlation]) => [name, size, direction(correlation).words]),
    items: columns.slice(0, 12).map(([name, value, correlation]) => ({
      name, value, color: direction(correlation).color, text: `${name}: ${shown(value)}, ${direction(correlation).words}` })),
  });
}

function driftPicture(parent, one) {
  if (!one.drift.length) return;
  bars(parent, {
    title: "Drift: effect size against its threshold", signed: true, guide: 1, xTitle: "effect size / threshold",
    note: "Target, predictions and the columns closest to drift. Past the line is drift if a test confirms it; those bars are orange.",
    header: ["Column", "Role", "effect size / threshold", "Verdict"], rows: one.drift,
    items: one.drift.map(([name, role, value, verdict]) => ({
      name, value, color: color(verdict === "drift" ? 1 : 0), text: `${name}, ${role}: ${shown(value)}, ${verdict}` })),
  });
}

function historyPicture(parent, one, better) {
  const past = one.past.filter(result => result.test !== null).map((result, place) => ({ ...result, place: place + 1 }));
  if (past.length < 2) return;
  const series = [...new Set(past.map(result => result.source))].map(source => {
    const points = past.filter(result => result.source === source).map(result => [result.place, result.test]);
    return { name: source, points, dots: points };
  });
  lines(parent, {
    title: "History of the best model", note: `Test ${one.metric} of past comparisons, oldest first; ${better}.`, series, unit: false,
    xTitle: "comparison", yTitle: `test ${one.metric}`,
    named: {
      header: ["when", "by", "commit", "best", "cv", "test", "from", "to"],
      rows: past.map(({ time, source, name, best, cv, test, low, high }) => [time, source, name, best, cv, test, low, high]),
      textOf: (_, [place]) => {
        const { source, time, name, best, test } = past[place - 1];
        return `${time}: ${best}, test ${one.metric} ${shown(test)} (${source}, ${name})`;
      },
    },
  });
}

function picturesOf(parent) {
  if (parent.querySelector("figure")) return;
  const one = data[parent.dataset.pictures], better = one.lower ? "lower is better" : "higher is better";
  const all = one.models.filter(model => model.cv !== null);
  const scored = all.length > 2 ? all.filter(model => model.name !== "dummy") : all; // beside guessing the others would be one dot
  candidatesPicture(parent, one, all, scored, better);
  timesPicture(parent, one, scored);
  curvePictures(parent, one, better);
  dotsPicture(parent, one);
  importancePicture(parent, one);
  shapPicture(parent, one);
  driftPicture(parent, one);
  historyPicture(parent, one, better);
}
