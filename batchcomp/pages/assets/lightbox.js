// One picture, restored: first small, then as it is stored, then in full; its versions, its files, the slider.

const dateOf = (seconds) => (seconds === null || seconds === undefined ? ABSENT : new Date(seconds * 1000).toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" }));
const timeOf = (seconds) => (seconds === null ? "unknown" : new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
const KINDS = {
  compact: "compact JPEG, restored by the networks", packed: "packed compact JPEG, restored by the networks", "compact-avif": "compact AVIF, restored by the networks",
  jpeg: "plain JPEG", webp: "lossless WebP", png: "lossless PNG", verbatim: "the source file itself",
};

/** The viewer of two versions, for one picture whose versions are at hand. */
class OneViewer extends Viewer {
  versionsOf(index) {
    return this.views[index].versions;
  }
}

class Lightbox {
  /** `grid` has the pictures; `onShow(key)` is told which one is shown, null for none. */
  constructor({ grid, onShow }) {
    Object.assign(this, { grid, onShow });
    this.dialog = byId("lightbox");
    this.stage = byId("box-stage");
    this.side = byId("box-side");
    const button = (text, label, action, properties = {}) =>
      el("button", { type: "button", class: "button", "aria-label": label, onclick: action, ...properties }, text);
    this.back = button("\u2190", "Previous picture", () => this.go(-1));
    this.forth = button("\u2192", "Next picture", () => this.go(1));
    this.compareButton = button("Compare", "Compare versions", () => this.compare(), { hidden: true, "aria-pressed": "false" });
    byId("box-tools").append(this.compareButton, this.back, this.forth, button("\u2715", "Close", () => this.dialog.close()));
    this.dialog.addEventListener("close", () => this.closed());
    // of the document: a button that is disabled while it has the focus leaves it to nobody
    document.addEventListener("keydown", (event) => this.dialog.open && this.key(event));
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  async open(index) {
    this.index = index;
    if (!this.dialog.open) this.dialog.showModal();
    const item = await this.grid.item(index);
    if (item && this.index === index) this.show(item[0], item[1]);
  }

  go(step) {
    const next = this.index + step;
    if (next >= 0 && next < this.grid.total) this.open(next);
  }

  closed() {
    this.asking?.abort();
    this.clear();
    this.shown = null;
    this.onShow(null);
    if (this.index !== undefined && this.index < this.grid.total) this.grid.focus(this.index);
  }

  clear() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
    byId("box-body").querySelector(".compare")?.remove();
    this.stage.hidden = false;
    this.stage.classList.remove("large");
    this.stage.replaceChildren();
    this.compareButton.setAttribute("aria-pressed", "false");
  }

  /** Show a version by its key. */
  async show(key, path) {
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    this.shown = key;
    this.clear();
    this.onShow(key);
    this.back.disabled = this.index === 0;
    this.forth.disabled = this.index === this.grid.total - 1;
    this.compareButton.hidden = true;
    byId("box-name").firstChild.textContent = path;
    this.picture = el("img", { class: "low", src: `/thumb/${key}`, alt: path, draggable: "false" });
    this.picture.addEventListener("click", (event) => this.enlarge(event));
    this.status = el("p", { class: "box-status", role: "status" }, "Restoring\u2026");
    this.stage.replaceChildren(this.picture, this.status);
    this.side.replaceChildren();
    try {
      const answer = await fetch(`/api/picture/${key}`, { signal });
      const about = await answer.json();
      if (!answer.ok) throw new Error(about.error);
      this.about = about;
      this.drawFacts(about);
      if (about.width) this.picture.style.aspectRatio = "auto";
      if (about.reason) throw new Error(about.reason);
      await this.restore(key, about, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.status.textContent = `Cannot be shown: ${error.message || "the server does not answer"}`;
      this.status.classList.add("bad");
      this.picture.hidden = true;
    }
  }

  async restore(key, about, signal) {
    if (about.shows_stored && about.stored !== "png") {
      const early = new Image();
      early.onload = () => {
        if (!signal.aborted && !this.url) this.picture.src = early.src;
      };
      early.src = `/stored/${key}`;
    }
    let answer;
    for (;;) {
      answer = await fetch(`/view/${key}`, { signal });
      if (answer.status !== 503) break;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error);
    this.url = URL.createObjectURL(await answer.blob());
    if (signal.aborted) return;
    this.picture.src = this.url;
    await this.picture.decode().catch(() => null);
    if (signal.aborted) return;
    this.picture.classList.remove("low");
    this.status.textContent = "";
  }

  /** Between as large as fits and pixel by pixel, with what was clicked in the middle. */
  enlarge(event) {
    const box = this.picture.getBoundingClientRect();
    const across = event ? (event.clientX - box.left) / box.width : 0.5, down = event ? (event.clientY - box.top) / box.height : 0.5;
    this.stage.classList.toggle("large");
    if (!this.stage.classList.contains("large")) return;
    this.stage.scrollLeft = across * this.picture.width - this.stage.clientWidth / 2;
    this.stage.scrollTop = down * this.picture.height - this.stage.clientHeight / 2;
  }

  drawFacts(about) {
    const rows = [
      ["Size", about.width ? `${about.width} \u00d7 ${about.height} pixels` : null],
      ["Changed", about.changed === undefined ? null : dateOf(about.changed)],
      ["Source", about.source_bytes === undefined ? null : human(about.source_bytes)],
      ["Archived", about.archived_bytes === undefined ? null : human(about.archived_bytes)],
      ["JPEG takes", about.jpeg_bytes ? `${human(about.jpeg_bytes)} for the same MS-SSIM` : null],
      ["MS-SSIM", about.ms_ssim === null || about.ms_ssim === undefined ? null : fixed(about.ms_ssim, 4)],
      ["Quality", about.quality ? String(about.quality) : null],
      ["Stored as", about.stored ? KINDS[about.stored] ?? about.stored : null],
      ["Since", about.why || null],
    ];
    const list = el("dl", { class: "facts" }, ...rows.filter(([, value]) => value !== null).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
    const parts = [list];
    if (about.stored) {
      const links = about.formats.map((form) => el("a", { class: "button", href: `/download/${about.key}/${form}`, download: "" }, form === "jpeg" ? "JPEG" : form === "webp" ? "WebP" : "PNG"));
      links.push(el("a", { class: "button", href: `/stored/${about.key}?save`, download: "" }, "As stored"));
      parts.push(el("section", {}, el("h3", {}, "Save"), el("div", { class: "links" }, ...links)));
    }
    if (about.versions.length > 1) {
      const items = [...about.versions].reverse().map(([key, number, archived, sound]) =>
        el("li", {}, el("button", { type: "button", class: "version", "aria-current": key === about.key ? "true" : null, onclick: () => this.show(key, about.path) },
          `Version ${number}`, el("small", {}, `archived ${timeOf(archived)}${sound ? "" : ", damaged"}`))));
      parts.push(el("section", {}, el("h3", {}, "Versions"), el("ul", { class: "version-list" }, ...items)));
    }
    this.side.replaceChildren(...parts);
    this.compareButton.hidden = !["compact", "packed", "compact-avif"].includes(about.stored);
    this.compareButton.title = about.original ? "Beside the original and JPEG (C)" : "Beside the compact picture (C)";
  }

  async compare() {
    const body = byId("box-body"), open = body.querySelector(".compare");
    if (open) {
      open.remove();
      this.stage.hidden = false;
      this.compareButton.setAttribute("aria-pressed", "false");
      return;
    }
    const key = this.shown, { signal } = this.asking;
    this.compareButton.disabled = true;
    this.status.classList.remove("bad");
    this.status.textContent = "Making the versions\u2026";
    try {
      const answer = await fetch(`/api/compare/${key}`, { signal });
      const found = await answer.json();
      if (!answer.ok) throw new Error(found.error);
      this.status.textContent = "";
      this.stage.hidden = true;
      body.prepend(byId("compare-template").content.cloneNode(true));
      this.compareButton.setAttribute("aria-pressed", "true");
      new OneViewer({ groups: {}, views: [{ ...found.about, versions: found.versions }] });
      body.querySelector(".divider").focus();
    } catch (error) {
      if (!signal.aborted) this.status.textContent = `Cannot be compared: ${error.message || "the server does not answer"}`;
    } finally {
      this.compareButton.disabled = false;
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    const comparing = byId("box-body").querySelector(".compare");
    if (comparing?.contains(event.target)) return;
    const large = this.stage.classList.contains("large") && event.target === this.stage;
    const action = { ArrowLeft: () => this.go(-1), ArrowRight: () => this.go(1), z: () => this.enlarge(), c: () => this.compareButton.hidden || this.compare() }[event.key];
    if (!action || (large && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    action();
  }
}
