// The page of an upload follows its work: told by events, or asked every two seconds where events do not come.
import { fetched, swap } from "./swap.js";
import { say } from "./words.js";

const watched = document.querySelector("[data-watch]");
const said = document.getElementById("said");
const PARTS = ["facts", "state", "counted"];
const ASKED_EVERY = 2000;
const SAID_EVERY = 10000;
let stopped = false;
let source = null;
let timer = 0;
let busy = false;
let again = false;
let saidAt = Date.now();

async function refresh() {
  if (stopped) return;
  if (busy) { again = true; return; }
  busy = true;
  again = false;
  try {
    const fresh = await fetched(location.pathname + location.search);
    if (stopped) return;
    swap(fresh, PARTS);
    document.title = fresh.title;
    const { open, settled, state } = fresh.querySelector("[data-watch]").dataset;
    tell(document.querySelector("[data-sentence]").textContent.trim(), state !== watched.dataset.state);
    watched.dataset.state = state;
    document.dispatchEvent(new CustomEvent("refreshed", { detail: { isOpen: Boolean(open) } }));
    if (open) {
      ready();
    } else {
      if (watched.dataset.open) swap(fresh, ["rows"]);
      watched.dataset.open = "";
      end();
      // The reasons are counted a little later.
      if (settled) stopped = true;
      else poll();
    }
  } catch {
    note(say("broken"));
  } finally {
    busy = false;
    if (again && !stopped) setTimeout(refresh, 500);
  }
}

/** Tells those who listen: another state at once, but not every second. */
function tell(words, now) {
  if (said.textContent !== words && (now || Date.now() - saidAt > SAID_EVERY)) {
    saidAt = Date.now();
    said.textContent = words;
  }
}

function note(words) {
  const hint = document.querySelector("[data-live]");
  if (hint) hint.querySelector("span").textContent = words;
}

function ready() {
  const hint = document.querySelector("[data-live]");
  if (!hint) return;
  hint.hidden = false;
  note(say(source ? "followed" : "polled"));
  hint.querySelector("[data-stop]").onclick = () => { stopped = true; end(); hint.hidden = true; };
}

function end() {
  source?.close();
  source = null;
  clearInterval(timer);
}

function poll() {
  clearInterval(timer);
  timer = setInterval(refresh, ASKED_EVERY);
}

if (watched?.dataset.open) {
  if (watched.dataset.events && "EventSource" in window) {
    source = new EventSource(watched.dataset.events);
    source.onmessage = refresh;
    source.onopen = () => note(say("followed"));
    // The browser connects again by itself, until it gives up.
    source.onerror = () => {
      note(say("broken"));
      if (source?.readyState === EventSource.CLOSED) { source = null; poll(); }
    };
  } else {
    poll();
  }
  ready();
} else if (watched && !watched.dataset.settled) {
  poll();
}
