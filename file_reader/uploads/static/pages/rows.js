// Filters and pages of rows in their place, without a new page. Links and the form work without this as well.
import { fetched, swap } from "./swap.js";

async function show(address, keep = true) {
  const region = document.getElementById("rows");
  region.setAttribute("aria-busy", "true");
  try {
    swap(await fetched(address), ["rows"]);
    if (keep) history.pushState(null, "", address);
    document.getElementById("rows-title").focus();
  } catch {
    location.assign(address);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-rows]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  show(link.href);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-rows]")) return;
  event.preventDefault();
  const query = new URLSearchParams(new FormData(event.target));
  show(`${location.pathname}?${query}#rows`);
});
addEventListener("popstate", () => show(location.href, false));
