// Files are dropped or chosen. The server looks at the beginning of each, then it is sent. Without this, the form sends one.
import { begin } from "./map.js";
import { sent } from "./sending.js";
import { say, size } from "./words.js";

const main = document.getElementById("main");
const LOOKED_AT = 256 * 1024;
// A preview takes a second. Whoever waits longer may send the file without one.
const PATIENCE = 15_000;
let home = [];
let form = null;
let input = null;
let trouble = null;
let file = null;
/** Files that were chosen together come one after the other. */
let waiting = [];
let several = false;
let settings = new Map();
let asked = 0;
let timer = 0;

function choose(chosen) {
  trouble.hidden = true;
  const most = Number(form.dataset.maxBytes);
  for (const one of chosen) {
    const name = chosen.length > 1 ? `${one.name}: ` : "";
    if (!one.size) return wrong(name + say("empty"));
    if (one.size > most) return wrong(name + say("too_large", { most: size(most), size: size(one.size) }));
  }
  waiting = [...chosen];
  several = waiting.length > 1;
  if (waiting.length) next();
}

/** Takes the next file; after the last of them, goes to that address. */
function next(address) {
  file = waiting.shift();
  if (!file) return location.assign(address);
  settings = new Map([...new FormData(form)].filter(([name, value]) => name !== "file" && value));
  look();
}

function wrong(words) {
  trouble.textContent = words;
  trouble.hidden = false;
  input.value = "";
  input.focus();
}

/** Shows how the server reads the beginning of the file; afterwards the settings of that page count. */
async function look() {
  const number = ++asked;
  main.setAttribute("aria-busy", "true");
  const query = new URLSearchParams([...settings, ["filename", file.name]]);
  if (file.size > LOOKED_AT && !isWhole(file.name)) { query.set("partial", "1"); query.set("size", file.size); }
  try {
    const head = await file.slice(0, isWhole(file.name) ? file.size : LOOKED_AT).arrayBuffer();
    const body = new FormData();
    body.append("file", new Blob([head]), file.name);
    const response = await fetch(`/preview/?${query}`, { method: "POST", body, signal: AbortSignal.timeout(PATIENCE) });
    const text = await response.text();
    if (number !== asked) return;
    if (response.redirected) return location.assign("/"); // signed out meanwhile
    if (response.status >= 500 || !response.headers.get("Content-Type")?.startsWith("text/html")) throw new Error(text);
    main.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    ready();
  } catch {
    if (number !== asked) return;
    main.replaceChildren(document.getElementById("unseen").content.cloneNode(true));
    main.querySelector("h1").append(file.name);
    ready();
  } finally {
    main.removeAttribute("aria-busy");
  }
}

// What is packed, or has its end to close, can only be looked at as a whole.
const isWhole = (name) => /\.(gz|zip|xlsx|kmz|kml|gpx|(geo)?json)$/i.test(name);

const each = (selector, act) => main.querySelectorAll(selector).forEach(act);

function ready() {
  document.title = main.querySelector("h1").textContent;
  main.querySelector("h1").focus();
  scrollTo(0, 0);
  const names = waiting.map((one) => one.name).join(", ");
  each("[data-queue]", (place) => { place.textContent = names && say("afterwards", { names }); place.hidden = !names; });
  each("[data-skip]", (button) => { button.hidden = !several; button.onclick = () => next("/"); });
  each("[data-size]", (place) => { place.textContent = say("will_be_sent", { size: size(file.size) }); });
  each("[data-again]", (button) => { button.onclick = back; });
  each("[data-send-now]", (button) => { button.onclick = send; });
  each("[data-look]", (button) => { button.onclick = look; });
  each("[data-fix]", (button) => {
    button.onclick = () => {
      for (const [name, value] of new URLSearchParams(button.dataset.fix)) settings.set(name, value);
      look();
    };
  });
  // On a narrow screen the columns that were found are in sight.
  const chosen = main.querySelector("th.chosen");
  if (chosen) chosen.closest(".scroll").scrollLeft = chosen.offsetLeft - 16;
  const map = main.querySelector("[data-map]");
  if (map) begin(map, JSON.parse(document.getElementById("points").textContent));
  main.querySelector("[data-settings]")?.addEventListener("change", (event) => {
    if (event.target.dataset.role) role(event.target);
    else if (event.target.value) settings.set(event.target.name, event.target.value);
    else settings.delete(event.target.name);
    clearTimeout(timer);
    if (settings.has("latitude") === settings.has("longitude")) timer = setTimeout(look, 300);
  });
}

/** A column is said to be the latitude or the longitude: the one that was it before is not any more. */
function role(chosen) {
  const selects = [...main.querySelectorAll("[data-role]")];
  for (const other of selects) if (other !== chosen && chosen.value && other.value === chosen.value) other.value = "";
  for (const what of ["latitude", "longitude"]) {
    const column = selects.find((select) => select.value === what)?.dataset.role;
    if (column) settings.set(what, column);
    else settings.delete(what);
  }
}

/** Whatever is being looked at is not shown any more. */
function leave() {
  clearTimeout(timer);
  asked++;
}

function send() {
  leave();
  sent(main, file, settings, { back, refused, arrived: (address) => next(several ? "/" : address) });
}

function back() {
  leave();
  main.replaceChildren(...home);
  input.value = "";
  input.focus();
}

/** The server did not take the file: its page says why, and has the form to choose it again. */
function refused(fresh) {
  const problem = fresh.getElementById("problem");
  if (!problem) return location.assign("/");
  main.replaceChildren(...fresh.getElementById("main").childNodes);
  document.title = fresh.title;
  open();
  problem.focus();
}

/** Takes over the form of the first page. */
function open() {
  home = [...main.childNodes];
  form = main.querySelector("[data-send]");
  input = document.getElementById("file");
  trouble = document.getElementById("file-trouble");
  input.multiple = true;
  input.addEventListener("change", () => choose(input.files));
  form.addEventListener("submit", (event) => { event.preventDefault(); choose(input.files); });
  main.querySelector("[data-example]").addEventListener("click", async (event) => {
    event.preventDefault();
    const response = await fetch(event.target.href);
    choose([new File([await response.blob()], "example.csv", { type: "text/csv" })]);
  });
  // Somebody was quicker than this script, or the browser has kept the files.
  if (input.files.length) choose(input.files);
}

open();
addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  choose(event.dataTransfer.files);
});
