// The file on its way: how far it is, three tries under one Idempotency-Key, and the page of its upload at the end.

const TRIES = 3;

/** Sends the file with its settings. `back` shows the first page again, `refused` the page that says what is wrong. */
export function sent(main, file, settings, { back, refused }) {
  const key = crypto.randomUUID();
  const view = screen(main, file);
  const leave = (event) => { event.preventDefault(); };
  addEventListener("beforeunload", leave);
  const end = () => removeEventListener("beforeunload", leave);
  let request = null;
  let cancelled = false;
  view.cancel.onclick = () => { cancelled = true; request?.abort(); end(); back(); };

  function attempt(number) {
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
      if (request.status === 200) return location.assign(request.responseURL);
      refused(new DOMParser().parseFromString(request.responseText, "text/html"));
    };
    request.onerror = () => {
      if (cancelled) return;
      if (number < TRIES) return setTimeout(attempt, 1000 * number, number + 1);
      end();
      view.broken(() => sent(main, file, settings, { back, refused }));
    };
    request.send(body);
  }
  attempt(1);
}

const mb = (bytes) => bytes >= 1e7 ? Math.round(bytes / 1e6) : (bytes / 1e6).toFixed(1);

function screen(main, file) {
  main.innerHTML = `
    <h1 tabindex="-1"></h1><p class="facts"><span></span></p>
    <section class="card inside block" id="state">
    <ol class="stages"><li class="working" aria-current="step">Sending</li><li>Reading rows</li><li>Finding postcodes</li><li>Done</li></ol>
    <h2 class="sentence">Sending</h2>
    <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect class="match" width="0" height="1"/></svg>
    <p class="hint" role="status">Keep this page open until the file has arrived; after that you may close it.</p>
    <p class="buttons"><button type="button" class="button danger">Cancel</button></p></section>`;
  main.querySelector("h1").textContent = file.name;
  main.querySelector(".facts span").textContent = `${mb(file.size)} MB`;
  main.querySelector("h1").focus();
  const sentence = main.querySelector(".sentence");
  const hint = main.querySelector(".hint");
  const cancel = main.querySelector("button");
  return {
    cancel,
    far(loaded, total, seconds) {
      const rate = loaded / seconds;
      const left = Math.max(1, Math.round((total - loaded) / rate));
      document.title = `${Math.floor(loaded / total * 100)} % · ${file.name}`;
      sentence.textContent = seconds < 2 ? `Sending: ${mb(loaded)} of ${mb(total)} MB` : `Sending: ${mb(loaded)} of ${mb(total)} MB, about ${left} s left`;
      main.querySelector(".bar rect").setAttribute("width", loaded / total * 100);
      if (loaded === total) { sentence.textContent = "Sent. The server looks at the file"; cancel.hidden = true; }
    },
    broken(again) {
      sentence.textContent = "The connection broke";
      hint.textContent = "Nothing was started. Sending the same file again is safe.";
      cancel.textContent = "Try again";
      cancel.onclick = again;
    },
  };
}
