"use strict";
// What every page of batchcomp uses: elements made without markup, figures as people read them, the theme.

const byId = (id) => document.getElementById(id);
const dataOf = (id) => JSON.parse(byId(id).textContent);

/** Make an element. `on...` properties are listeners, `data`, ARIA and others attributes; children are nodes or text. */
function el(tag, properties = {}, ...children) {
  const made = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.setAttribute("class", value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const ABSENT = "–";
const grouped = (count) => count.toLocaleString("en-US");

function human(bytes) {
  if (bytes === null || bytes === undefined) return ABSENT;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= (unit ? 999.95 : 999.5) && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${unit ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

const fixed = (value, places) => (value === null || value === undefined ? ABSENT : value.toFixed(places));
const percent = (share) => (share === null || share === undefined ? ABSENT : `${Math.round(share * 100)} %`.replace("-", "−"));
const decibels = (similarity) => -10 * Math.log10(Math.max(1e-6, 1 - similarity));
const similarityOf = (db) => 1 - 10 ** (-db / 10);
const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

function startTheme() {
  const names = ["auto", "light", "dark"];
  const said = { auto: "automatic", light: "light", dark: "dark" };
  const button = byId("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const next = names[(names.indexOf(root.dataset.theme) + 1) % names.length];
    root.dataset.theme = next;
    button.textContent = `Theme: ${said[next]}`;
    document.dispatchEvent(new Event("themechange"));
  });
}
startTheme();
