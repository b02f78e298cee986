// The sentences of the scripts, and numbers, in the language of the page. The server writes them into the page.

const words = JSON.parse(document.getElementById("words").textContent);
const language = document.documentElement.lang;

/** 1,234.5 as the language of the page writes it. */
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** A sentence with its values. */
export const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

/** The size of a file. */
export function size(bytes) {
  if (bytes >= 2 ** 30) return `${number(bytes / 2 ** 30, 1)} GiB`;
  return bytes >= 1e5 ? `${megabytes(bytes)} MB` : `${number(Math.ceil(bytes / 1e3))} kB`;
}

export const megabytes = (bytes) => number(bytes / 1e6, bytes >= 1e7 ? 0 : 1);
