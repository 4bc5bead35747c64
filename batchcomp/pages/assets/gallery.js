// The gallery of an archive: what is looked for stands in the address, so that it can be gone back to and kept.

const FIELDS = ["folder", "text", "since", "until", "order"];
const LOOK = 5000; // milliseconds between two questions whether the archive changed
const LOOK_SOON = 700; // while it is read for the first time

const wanted = Object.fromEntries(FIELDS.map((name) => [name, ""]));

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of FIELDS) wanted[name] = given.get(name) ?? "";
  return given.get("picture");
}

function address(picture) {
  const parts = new URLSearchParams(FIELDS.filter((name) => wanted[name]).map((name) => [name, wanted[name]]));
  if (picture) parts.set("picture", picture);
  return `#${parts}`;
}

/** Seconds since 1970 at which a day begins here, `days` after a date; null for no date. */
function midnight(date, days = 0) {
  const [year, month, day] = date.split("-").map(Number);
  const at = new Date(year, month - 1, day + days);
  if (year < 100) at.setFullYear(year);
  return date && Number.isFinite(at.getTime()) ? Math.floor(at.getTime() / 1000) : null;
}

function query(more) {
  const parts = new URLSearchParams(more);
  for (const name of ["folder", "text", "order"]) if (wanted[name]) parts.set(name, wanted[name]);
  const since = midnight(wanted.since), before = midnight(wanted.until, 1);
  if (since !== null) parts.set("since", since);
  if (before !== null) parts.set("before", before);
  return parts;
}

async function ask(more) {
  const answer = await fetch(`/api/pictures?${query(more)}`);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function heard(answer) {
  const narrowed = wanted.text || wanted.since || wanted.until || wanted.folder;
  const count = `${grouped(answer.total)} ${answer.total === 1 ? "picture" : "pictures"}`;
  byId("count").textContent = answer.complete ? count : `${count}, reading the archive\u2026`;
  byId("empty").hidden = answer.total > 0 || !answer.complete;
  byId("empty").textContent = narrowed ? "Nothing matches." : "The archive holds no pictures.";
  const problems = byId("problems");
  problems.hidden = !answer.problems.length;
  if (answer.problems.length) {
    problems.replaceChildren(el("p", {}, "Part of the archive is damaged; what is intact is shown. Run batchcomp verify."), el("ul", {}, ...answer.problems.map((problem) => el("li", {}, problem))));
  }
}

const grid = new Grid({
  list: byId("grid"),
  ask: (start, count) => ask({ start, count }),
  onOpen: (index) => lightbox.open(index),
  onAnswer: (answer) => heard(answer),
});
const lightbox = new Lightbox({ grid, onShow: (key) => history.replaceState(null, "", address(key)) });

const MOST_CHIPS = 300;

async function drawFolders() {
  const under = wanted.folder, nav = byId("folders");
  const found = await fetch(`/api/folders?${new URLSearchParams({ under })}`).then((answer) => answer.json()).catch(() => []);
  if (under !== wanted.folder) return;
  const link = (folder, text, properties = {}) =>
    el("a", { class: "chip", href: folderAddress(folder), ...properties }, el("bdi", {}, text));
  const parts = under ? under.split("/") : [];
  const crumbs = [link("", "All folders", { "aria-current": under ? null : "page" })];
  parts.forEach((name, n) => {
    const folder = parts.slice(0, n + 1).join("/");
    crumbs.push(el("span", { "aria-hidden": "true" }, "/"), link(folder, name, { "aria-current": folder === under ? "page" : null }));
  });
  const chips = found.slice(0, MOST_CHIPS).map(([path, name, pictures]) => {
    const chip = link(path, name);
    chip.append(el("small", {}, grouped(pictures)));
    return chip;
  });
  const more = found.length > MOST_CHIPS ? [el("span", { class: "quiet" }, `and ${grouped(found.length - MOST_CHIPS)} more: search for their names`)] : [];
  nav.replaceChildren(el("div", { class: "crumbs" }, ...crumbs), ...(chips.length ? [el("div", { class: "chips", tabindex: 0, role: "group", "aria-label": "Folders in this folder" }, ...chips, ...more)] : []));
  nav.hidden = !chips.length && !under;
  grid.resize();
}

function folderAddress(folder) {
  const parts = new URLSearchParams(FIELDS.filter((name) => name !== "folder" && wanted[name]).map((name) => [name, wanted[name]]));
  if (folder) parts.set("folder", folder);
  return `#${parts}`;
}

function fillFields() {
  for (const name of ["text", "since", "until"]) if (byId(name).value !== wanted[name]) byId(name).value = wanted[name];
  byId("order").value = wanted.order || "name";
}

let shownFor = "";

/** Show what the address says. */
async function arrive() {
  const picture = readAddress();
  fillFields();
  const now = address();
  if (now !== shownFor) {
    shownFor = now;
    scrollTo(0, 0);
    grid.reset();
    drawFolders();
  }
  if (!picture || picture === lightbox.shown) return;
  const { place } = await ask({ around: picture, count: 1 }).catch(() => ({ place: null }));
  if (place !== null) lightbox.open(place);
}

function changed() {
  for (const name of ["text", "since", "until"]) wanted[name] = byId(name).value;
  wanted.order = byId("order").value === "name" ? "" : byId("order").value;
  history.replaceState(null, "", address());
  arrive();
}

let typing;
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("text").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(changed, 180);
});
for (const name of ["since", "until", "order"]) byId(name).addEventListener("change", changed);
addEventListener("hashchange", arrive);

async function look() {
  let soon = LOOK;
  if (!document.hidden) {
    try {
      const answer = await ask({ start: 0, count: 1 });
      if (!answer.complete) soon = LOOK_SOON;
      if (answer.state !== grid.state && grid.state !== null) {
        grid.refresh(answer);
        drawFolders();
      } else heard(answer);
    } catch {
      byId("count").textContent = "The server does not answer.";
    }
  }
  setTimeout(look, soon);
}

readAddress();
shownFor = "";
arrive();
setTimeout(look, LOOK_SOON);
