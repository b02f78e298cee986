// Loads the list again every 5 or 30 seconds, as this browser was told to. Never while something is ticked or asked.
(() => {
  "use strict";
  const KEY = "refresh of uploads";
  const isBusy = () => document.hidden || document.querySelector("#result_list tbody input:checked") !== null
    || document.activeElement?.matches("input, select");
  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("refresh");
    if (!choice) return;
    choice.closest("label").hidden = false;
    choice.value = localStorage.getItem(KEY) ?? "0";
    if (choice.value === "") choice.value = "0";
    let waited = 0;
    choice.addEventListener("change", () => {
      localStorage.setItem(KEY, choice.value);
      waited = 0;
      choice.blur();
    });
    setInterval(() => {
      const every = Number(choice.value);
      waited += 1;
      if (every && waited >= every && !isBusy()) location.reload();
    }, 1000);
  });
})();
