// A part of this page, fresh from the server: what it says is written in one place.

/** The document at an address. Throws when it is not there. */
export async function fetched(address) {
  const response = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Puts the elements with these ids of a fetched document in the place of ours; the focus stays on the same control. */
export function swap(fresh, ids) {
  for (const id of ids) {
    const old = document.getElementById(id);
    const replacement = fresh.getElementById(id);
    if (!old || !replacement) continue;
    const path = old.contains(document.activeElement) ? place(old, document.activeElement) : null;
    old.replaceWith(replacement);
    if (path !== null) controls(replacement)[path]?.focus({ preventScroll: true });
  }
}

const controls = (element) => [...element.querySelectorAll("a, button, input, summary, [tabindex]")];
const place = (element, control) => controls(element).indexOf(control);
