// The map of an upload: land, and its rows by squares, drawn on one canvas over Leaflet's panning and zooming.
/* global L */
import { number, say } from "./words.js";

let element = null;
let points = null;
const FIT = [[49.1, -8.9], [60.95, 2.0]];
const BOUNDS = [[47.2, -14], [62.6, 6.4]];
const REFRESHED_EVERY = 5000;
// In degrees. Of the whole country a square has two pixels; who comes nearer gets smaller ones.
const COARSE = 0.04;
const FINE = 0.02;
const FINE_FROM = 1;
const CLASSES = 5;
const STEPS = [1, 2, 5];
const STATUSES = ["match", "no_match", "failed", "rejected", "pending"];
// What is rare stands on top, and is never too small to be seen, in pixels.
const ORDER = [["pending", 0], ["match", 0], ["no_match", 2.5], ["failed", 5]];
// So few squares hide nothing: each is drawn large enough to be found.
const FEW = 2000;
const FEW_PIXELS = 4;
// Tiles are shown up to this zoom, and through the squares.
const TILES_TO = 18;
const OVER_TILES = 0.75;
const hidden = new Set();
let cells = [];
let wanted = COARSE;
let size = 1;
let limits = [];
let colours = {};
let land = null;

const x = (longitude) => (longitude + 180) / 360 * 256;
const y = (latitude) => {
  const sine = Math.sin(latitude * Math.PI / 180);
  return 128 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) * 256;
};

/** The rings of the outline as one path, in Leaflet's units of zoom 0. */
function path(rings, scale) {
  const drawn = new Path2D();
  for (const ring of rings) {
    let [longitude, latitude] = ring;
    drawn.moveTo(x(longitude / scale), y(latitude / scale));
    for (let at = 2; at < ring.length; at += 2) {
      longitude += ring[at];
      latitude += ring[at + 1];
      drawn.lineTo(x(longitude / scale), y(latitude / scale));
    }
    drawn.closePath();
  }
  return drawn;
}

function graticule() {
  const drawn = new Path2D();
  for (let at = -14; at <= 8; at += 2) { drawn.moveTo(x(at), y(46)); drawn.lineTo(x(at), y(63)); }
  for (let at = 46; at <= 63; at += 2) { drawn.moveTo(x(-14), y(at)); drawn.lineTo(x(8), y(at)); }
  return drawn;
}

/** The colours of the scheme that the page has now. */
function look() {
  const style = getComputedStyle(document.documentElement);
  const names = ["sea", "land", "other-land", "coast", "grid", "town", ...STATUSES, ...Array.from({ length: CLASSES }, (_, at) => `cell-${at + 1}`)];
  colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`)]));
}

/** Where one class of squares ends: at the quantiles of this upload, in steps of 1, 2, 5. */
function classes(counts) {
  const sorted = counts.filter(Boolean).sort((a, b) => a - b);
  const found = [];
  for (let at = 1; at < CLASSES; at++) {
    const quantile = sorted[Math.floor(sorted.length * at / CLASSES)] ?? 1;
    const power = 10 ** Math.floor(Math.log10(quantile));
    found.push(Math.max(...STEPS.map((step) => step * power).filter((step) => step <= quantile), (found.at(-1) ?? 0) + 1));
  }
  return found;
}

const Squares = L.Layer.extend({
  onAdd(map) {
    this.canvas = L.DomUtil.create("canvas", "", map.getPanes().overlayPane);
    this.canvas.setAttribute("aria-hidden", "true");
    map.on("move viewreset resize zoom", this.later, this);
    this.draw();
  },
  later() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  },
  draw() {
    const map = this._map;
    const { x: wide, y: high } = map.getSize();
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== wide * ratio || this.canvas.height !== high * ratio) {
      this.canvas.width = wide * ratio;
      this.canvas.height = high * ratio;
      this.canvas.style.width = `${wide}px`;
      this.canvas.style.height = `${high}px`;
    }
    L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]));
    const scale = 2 ** map.getZoom() * ratio;
    const corner = map.getPixelBounds().min;
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!element.dataset.tiles) this.country(context, scale, corner, ratio);
    context.setTransform(1, 0, 0, 1, 0, 0);
    const few = cells.length < FEW ? FEW_PIXELS : 0;
    for (const [status, least] of ORDER) {
      if (!hidden.has(status)) this.squares(context, status, Math.max(least, few) * ratio, scale, corner, ratio);
    }
    if (points) this.dots(context, map, ratio);
    else if (!element.dataset.tiles) this.towns(context, map, ratio);
  },
  country(context, scale, corner, ratio) {
    context.fillStyle = colours.sea;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(scale, 0, 0, scale, -corner.x * ratio, -corner.y * ratio);
    context.lineWidth = ratio / scale;
    context.strokeStyle = colours.grid;
    context.stroke(land.grid);
    for (const [fill, drawn] of [["other-land", land.other], ["land", land.uk]]) {
      context.fillStyle = colours[fill];
      context.strokeStyle = colours.coast;
      context.fill(drawn);
      context.stroke(drawn);
    }
  },
  squares(context, status, least, scale, corner, ratio) {
    const column = 2 + STATUSES.indexOf(status);
    const groups = Array.from({ length: status === "match" ? CLASSES : 1 }, () => []);
    for (const cell of cells) {
      if (!cell[column]) continue;
      groups[status === "match" ? limits.filter((limit) => cell[column] >= limit).length : 0].push(cell);
    }
    groups.forEach((group, at) => {
      context.fillStyle = status === "match" ? colours[`cell-${at + 1}`] : colours[status];
      context.globalAlpha = status === "pending" ? 0.42 : element.dataset.tiles ? OVER_TILES : 1;
      for (const [i, j] of group) {
        const left = x(i * size) * scale - corner.x * ratio;
        const right = x((i + 1) * size) * scale - corner.x * ratio;
        const top = y((j + 1) * size) * scale - corner.y * ratio;
        const bottom = y(j * size) * scale - corner.y * ratio;
        if (right < 0 || bottom < 0 || left > this.canvas.width || top > this.canvas.height) continue;
        const wide = Math.max(Math.round(right) - Math.round(left), least, 1);
        const high = Math.max(Math.round(bottom) - Math.round(top), least, 1);
        if (status === "failed") halo(context, left, top, wide, high, ratio);
        context.fillRect(Math.round(left), Math.round(top), wide, high);
      }
    });
    context.globalAlpha = 1;
  },
  dots(context, map, ratio) {
    context.fillStyle = colours.match;
    context.globalAlpha = 0.8;
    for (const at of points) {
      const { x: left, y: top } = map.latLngToContainerPoint(at).multiplyBy(ratio);
      context.beginPath();
      context.arc(left, top, 3 * ratio, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  },
  towns(context, map, ratio) {
    const most = map.getZoom() >= map.getMinZoom() + 2 ? 3 : map.getZoom() >= map.getMinZoom() + 1 ? 2 : 1;
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.lineWidth = 3 * ratio;
    context.lineJoin = "round";
    for (const [name, latitude, longitude, rank, west] of land.places) {
      if (rank > most) continue;
      const at = map.latLngToContainerPoint([latitude, longitude]).multiplyBy(ratio);
      context.textAlign = west ? "right" : "left";
      const beside = (west ? -5 : 5) * ratio;
      context.strokeStyle = colours.land;
      context.strokeText(name, at.x + beside, at.y + 4 * ratio);
      context.fillStyle = colours.town;
      context.fillText(name, at.x + beside, at.y + 4 * ratio);
      context.beginPath();
      context.arc(at.x, at.y, 1.5 * ratio, 0, 7);
      context.fill();
    }
  },
});

function halo(context, left, top, wide, high, ratio) {
  const fill = context.fillStyle;
  context.fillStyle = colours.land;
  context.fillRect(Math.round(left - 1.5 * ratio), Math.round(top - 1.5 * ratio), wide + 3 * ratio, high + 3 * ratio);
  context.fillStyle = fill;
}

/** A text as HTML, which Leaflet wants. */
function escaped(text) {
  const place = document.createElement("span");
  place.textContent = text;
  return place.innerHTML;
}

/** The squares of the size that is wanted now; null when they are not there, or when another size is wanted by then. */
async function ask() {
  const asked = wanted;
  const response = await fetch(`${element.dataset.cells}?size=${asked}`);
  const found = response.ok ? await response.json() : null;
  return asked === wanted ? found : null;
}

async function load(squares, answer = ask()) {
  const found = await answer;
  if (!found) return;
  cells = found.cells;
  size = found.size;
  limits = classes(cells.map((cell) => cell[2]));
  legend(cells.filter(isBeyond).reduce((rows, cell) => rows + cell.slice(2).reduce((a, b) => a + b), 0));
  squares.draw();
}

/** Whether a square lies where the map cannot be moved to. */
function isBeyond([i, j]) {
  const [[south, west], [north, east]] = BOUNDS;
  return (i + 1) * size < west || i * size > east || (j + 1) * size < south || j * size > north;
}

function legend(outside) {
  document.querySelector("[data-km]").textContent = number(Math.round(size * 100));
  document.querySelector("[data-legend]").hidden = !cells.length;
  document.querySelector("[data-most]").textContent = `${number(limits.at(-1))}+`;
  const place = document.querySelector("[data-outside]");
  place.hidden = !outside;
  place.lastElementChild.textContent = number(outside);
}

/** The rows of the square that was clicked. */
function rowsOf({ latlng }) {
  const [i, j] = [Math.floor(latlng.lng / size), Math.floor(latlng.lat / size)];
  if (!cells.some((cell) => cell[0] === i && cell[1] === j)) return;
  const box = [i * size, j * size, (i + 1) * size, (j + 1) * size].map((degrees) => degrees.toFixed(6));
  const link = document.createElement("a");
  link.href = `?bbox=${box}#rows`;
  link.dataset.rows = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/** Draws the map into an element; with `locations`, these as dots, and nothing else. */
export async function begin(into, locations = null) {
  element = into;
  points = locations;
  // Both take their time on their way.
  const first = element.dataset.cells ? ask() : null;
  const outline = await (await fetch(element.dataset.outline)).json();
  land = { uk: path(outline.uk, outline.scale), other: path(outline.other, outline.scale), grid: graticule(), places: outline.places };
  look();
  const map = L.map(element, { attributionControl: Boolean(element.dataset.whose), zoomControl: false, zoomAnimation: false, zoomSnap: 0, zoomDelta: 0.5, maxBounds: BOUNDS, maxBoundsViscosity: 1, scrollWheelZoom: false });
  L.control.zoom({ zoomInTitle: say("zoom_in"), zoomOutTitle: say("zoom_out") }).addTo(map);
  // Their titles name them; said twice is once too often.
  for (const button of element.querySelectorAll(".leaflet-control-zoom a")) button.removeAttribute("aria-label");
  map.fitBounds(FIT, { animate: false });
  map.setMinZoom(map.getZoom());
  map.options.zoomSnap = 0.5;
  if (element.dataset.tiles) L.tileLayer(element.dataset.tiles, { maxZoom: TILES_TO }).addTo(map);
  if (element.dataset.whose) map.attributionControl.setPrefix(false).addAttribution(escaped(element.dataset.whose));
  const squares = new Squares().addTo(map);
  element.addEventListener("focus", () => map.scrollWheelZoom.enable());
  element.addEventListener("blur", () => map.scrollWheelZoom.disable());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { look(); squares.draw(); });
  if (points) return;
  map.on("click", rowsOf);
  const fit = document.querySelector("[data-fit]");
  fit.hidden = false;
  fit.onclick = () => map.fitBounds(FIT, { animate: false });
  const layers = document.querySelector("[data-layers]");
  layers.hidden = false;
  layers.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-layer]");
    if (!chip) return;
    const shown = chip.getAttribute("aria-pressed") !== "true";
    chip.setAttribute("aria-pressed", shown);
    hidden[shown ? "delete" : "add"](chip.dataset.layer);
    squares.draw();
  });
  if (!first) return;
  map.on("zoomend", () => {
    const fits = map.getZoom() < map.getMinZoom() + FINE_FROM ? COARSE : FINE;
    if (fits === wanted) return;
    wanted = fits;
    load(squares);
  });
  await load(squares, first);
  let loaded = Date.now();
  document.addEventListener("refreshed", ({ detail }) => {
    if (detail.isOpen && Date.now() - loaded < REFRESHED_EVERY) return;
    loaded = Date.now();
    load(squares);
  });
}

const own = document.querySelector("[data-map]");
if (own) begin(own);
