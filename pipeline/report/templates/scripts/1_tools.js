"use strict";
// Small tools of the page's scripts, which run one after the other and share their names.

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const PHONE = matchMedia("(max-width: 40rem)").matches;
const PLACES = 4; // significant digits of a number

function shown(value) {
  if (value === null || value === undefined) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(PLACES)));
}

function short(value) {
  if (Math.abs(value) >= 1e6) return `${value / 1e6}M`;
  return Math.abs(value) >= 1e4 ? `${value / 1e3}k` : shown(value);
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

// a table whose first column names its rows; numbers stand to the right
function table(header, rows, classes = "") {
  const head = node("tr", {}, ...header.map(text => node("th", { scope: "col" }, text)));
  const body = node("tbody");
  for (const row of rows) body.append(node("tr", {}, ...row.map(tableCell)));
  return node("table", { class: classes }, node("thead", {}, head), body);
}

function tableCell(cell, place) {
  const text = typeof cell === "number" || cell === null ? shown(cell) : cell;
  if (!place) return node("th", { scope: "row" }, text);
  return node("td", { class: typeof cell === "string" ? "" : "num" }, text);
}

// a table that is wider than the screen is scrolled by itself, by keyboard too
function scrolled(label, content) {
  return node("div", { class: "wide", tabindex: "0", role: "group", "aria-label": label }, content);
}

function cut(text, most) { return text.length > most ? text.slice(0, most - 1) + "…" : text; }

const pen = document.createElement("canvas").getContext("2d");
pen.font = "12px system-ui, sans-serif"; // as svg text has it
function widthOf(text) { return pen.measureText(text).width; }

// ---- scales: from values to places in a drawing

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

// a scale with some room beside the values, but for what no value can be
function roomy(values, from, to, part, [least, most] = [null, null]) {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low || Math.abs(high) || 1) * part;
  return scale(Math.max(low - room, least ?? -Infinity), Math.min(high + room, most ?? Infinity), from, to);
}
