// The file on its way: how far it is, three tries under one Idempotency-Key.
import { megabytes, number, say, size } from "./words.js";

const TRIES = 3;
// Who listens is not told every second.
const SAID_EVERY = 10_000;

/** Sends the file with its settings. `back` shows the first page again, `refused` the page that says what is wrong, and
 * `arrived` is told the address of the upload. */
export function sent(main, file, settings, { back, refused, arrived }) {
  const key = crypto.randomUUID();
  const view = screen(main, file);
  const leave = (event) => { event.preventDefault(); };
  addEventListener("beforeunload", leave);
  const end = () => removeEventListener("beforeunload", leave);
  let request = null;
  let cancelled = false;
  const again = () => sent(main, file, settings, { back, refused, arrived });
  view.cancel.onclick = () => { cancelled = true; request?.abort(); end(); back(); };

  function attempt(tries) {
    const began = performance.now();
    const body = new FormData();
    for (const [name, value] of settings) body.append(name, value);
    body.append("file", file, file.name);
    request = new XMLHttpRequest();
    request.open("POST", "/");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = ({ loaded, total }) => view.far(loaded, total, (performance.now() - began) / 1000);
    request.onload = () => {
      end();
      if (request.status === 200) return arrived(request.responseURL);
      if (request.getResponseHeader("Content-Type")?.includes("json")) return view.broken(again, JSON.parse(request.responseText));
      if (request.status >= 500) return view.broken(again);
      refused(new DOMParser().parseFromString(request.responseText, "text/html"));
    };
    request.onerror = () => {
      if (cancelled) return;
      if (tries < TRIES) return setTimeout(attempt, 1000 * tries, tries + 1);
      end();
      view.broken(again);
    };
    request.send(body);
  }
  attempt(1);
}

/** Shows the screen of a file that is being sent, which lies in the page as a template. */
function screen(main, file) {
  main.replaceChildren(document.getElementById("sending").content.cloneNode(true));
  const [title, facts, sentence, said, hint, cancel] = ["h1", ".facts span", ".sentence", "[role=status]", ".hint", "button"].map((one) => main.querySelector(one));
  title.textContent = file.name;
  facts.textContent = size(file.size);
  title.focus();
  let saidAt = performance.now();
  return {
    cancel,
    far(loaded, total, seconds) {
      const values = { done: megabytes(loaded), all: megabytes(total), seconds: number(Math.max(1, (total - loaded) / (loaded / seconds))) };
      document.title = `${number(Math.floor(loaded / total * 100))} % · ${file.name}`;
      sentence.textContent = say(loaded === total ? "sent" : seconds < 2 ? "sending" : "sending_left", values);
      if (loaded === total || performance.now() - saidAt > SAID_EVERY) {
        saidAt = performance.now();
        said.textContent = sentence.textContent;
      }
      main.querySelector(".bar rect").setAttribute("width", loaded / total * 100);
      cancel.hidden = loaded === total;
    },
    /** The line broke, or who answers is not the page but what stands before it, which says why. */
    broken(again, problem) {
      sentence.textContent = problem?.title ?? say("send_broke");
      hint.textContent = problem?.detail ?? say("send_again");
      said.textContent = `${sentence.textContent}. ${hint.textContent}`;
      if (problem) sentence.lang = said.lang = hint.lang = "en";
      cancel.textContent = say("try_again");
      cancel.hidden = false;
      cancel.onclick = again;
    },
  };
}
