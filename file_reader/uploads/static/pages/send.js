// A file is dropped or chosen, its beginning is looked at by the server, then it is sent. Without this, the form sends it.
import { begin } from "./map.js";
import { sent } from "./sending.js";

const main = document.getElementById("main");
let home = [];
let form = null;
let input = null;
let trouble = null;
const LOOKED_AT = 256 * 1024;
let file = null;
let settings = new Map();
let asked = 0;

function choose(chosen) {
  trouble.hidden = true;
  const most = Number(form.dataset.maxBytes);
  if (!chosen) return;
  if (!chosen.size) return wrong("The selected file is empty.");
  if (chosen.size > most) return wrong(`The selected file must be smaller than ${size(most)}; it has ${size(chosen.size)}.`);
  file = chosen;
  settings = new Map([...new FormData(form)].filter(([name, value]) => name !== "file" && value));
  look();
}

function wrong(words) {
  trouble.textContent = words;
  trouble.hidden = false;
  input.value = "";
  input.focus();
}

const size = (bytes) => bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB`
  : bytes >= 1e5 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;

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
    const response = await fetch(`/preview/?${query}`, { method: "POST", body });
    const text = await response.text();
    if (number !== asked) return;
    if (!response.headers.get("Content-Type")?.startsWith("text/html")) throw new Error(text);
    main.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    ready();
  } catch {
    if (number === asked) wrong("The file could not be looked at. Try again, or press Enter to send it as it is.");
  } finally {
    main.removeAttribute("aria-busy");
  }
}

// What is packed, or has its end to close, can only be looked at as a whole.
const isWhole = (name) => /\.(gz|zip|xlsx|kmz|kml|gpx|(geo)?json)$/i.test(name);

function ready() {
  document.title = main.querySelector("h1").textContent;
  main.querySelector("h1").focus();
  scrollTo(0, 0);
  for (const place of main.querySelectorAll("[data-size]")) place.textContent = `${size(file.size)} will be sent. You can close the page once it is.`;
  for (const button of main.querySelectorAll("[data-again]")) button.onclick = back;
  for (const button of main.querySelectorAll("[data-send-now]")) button.onclick = () => sent(main, file, settings, { back, refused });
  for (const button of main.querySelectorAll("[data-fix]")) button.onclick = () => {
    for (const [name, value] of new URLSearchParams(button.dataset.fix)) settings.set(name, value);
    look();
  };
  const map = main.querySelector("[data-map]");
  if (map) begin(map, JSON.parse(document.getElementById("points").textContent));
  const changed = main.querySelector("[data-settings]");
  let timer = 0;
  changed?.addEventListener("change", (event) => {
    if (event.target.dataset.role) role(event.target);
    else if (event.target.value) settings.set(event.target.name, event.target.value);
    else settings.delete(event.target.name);
    const both = settings.has("latitude") === settings.has("longitude");
    clearTimeout(timer);
    if (both) timer = setTimeout(look, 300);
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

function back() {
  asked++;
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
  input.addEventListener("change", () => choose(input.files[0]));
  form.addEventListener("submit", (event) => { event.preventDefault(); choose(input.files[0]); });
  main.querySelector("[data-example]").addEventListener("click", async (event) => {
    event.preventDefault();
    const response = await fetch(event.target.href);
    choose(new File([await response.blob()], "example.csv", { type: "text/csv" }));
  });
}

open();
addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  choose(event.dataTransfer.files[0]);
});
