// Two versions of a picture on one stage, with a line between them that moves; zoom to pixels; a map of differences.

const SHORT = { original: "Original", batchcomp: "batchcomp", jpeg: "JPEG", compact: "Compact" };
const ZOOMS = [0.25, 0.5, 1, 2, 4, 8, 16];
const STEP = 2; // percent that an arrow key moves the line

class Viewer {
  constructor({ groups, views }) {
    Object.assign(this, { groups, views });
    this.left = "original";
    this.right = "batchcomp";
    this.level = null;
    this.mapped = false;
    this.at = 50; // percent of the stage's width at which the line stands
    this.zoom = null; // device pixels a pixel; null: as large as fits
    this.loaded = new Map();
    this.pointers = new Map();
    this.section = byId("viewer");
    this.section.hidden = false;
    this.build();
    this.buildStrip();
    this.open(0);
    new ResizeObserver(() => this.place()).observe(this.stage);
  }

  // -- what there is

  get about() {
    return this.views[this.index];
  }

  versionsOf(index) {
    if (!this.loaded.has(index)) {
      if (this.loaded.size > 3) this.loaded.delete(this.loaded.keys().next().value);
      this.loaded.set(index, dataOf(`view-${index}`).versions);
    }
    return this.loaded.get(index);
  }

  version(kind) {
    const versions = this.versionsOf(this.index).filter((one) => one.kind === kind);
    return versions.find((one) => one.level === this.level) ?? versions.find((one) => one.level === "") ?? versions[0];
  }

  get kinds() {
    return ["original", "batchcomp", "jpeg", "compact"].filter((kind) => this.version(kind));
  }

  // -- building

  build() {
    this.stage = byId("stage");
    const layer = (side) => {
      const image = el("img", { alt: "", draggable: "false" });
      const map = el("img", { alt: "", class: "map", draggable: "false", hidden: true });
      return { image, map, box: el("div", { class: `layer ${side}` }, image, map), tag: el("span", { class: `tag ${side}` }) };
    };
    this.layers = { left: layer("left"), right: layer("right") };
    this.divider = el("div", {
      class: "divider", role: "slider", tabindex: 0, "aria-label": "Line between the two versions",
      "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal",
    });
    const { left, right } = this.layers;
    this.stage.append(left.box, right.box, left.tag, right.tag, this.divider);
    this.stage.addEventListener("pointerdown", (event) => this.press(event));
    this.stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.stage.addEventListener(name, (event) => this.release(event));
    this.stage.addEventListener("dblclick", (event) => this.zoomTo(this.zoom === null ? 1 : null, event));
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.section.addEventListener("keydown", (event) => this.key(event));
    this.tools = byId("viewer-tools");
    this.zoomText = el("output", { "aria-label": "Zoom" });
    const button = (text, label, action, properties = {}) =>
      el("button", { type: "button", class: "button", "aria-label": label, onclick: action, ...properties }, text);
    this.mapButton = button("Map", "Map of the differences", () => this.setMapped(!this.mapped), { "aria-pressed": "false" });
    this.zooms = el("div", { class: "zooms", role: "group", "aria-label": "Zoom" },
      button("−", "Zoom out", () => this.zoomBy(-1)), this.zoomText, button("+", "Zoom in", () => this.zoomBy(1)),
      button("Fit", "Fit the picture", () => this.zoomTo(null)), button("1:1", "One to one", () => this.zoomTo(1)), this.mapButton);
  }

  buildStrip() {
    const strip = byId("strip");
    this.thumbs = [];
    for (const group of new Set(this.views.map((view) => view.group))) {
      const thumbs = el("div", { class: "thumbs" });
      this.views.forEach((view, index) => {
        if (view.group !== group) return;
        const image = el("img", { src: view.thumb, alt: "", loading: "lazy" });
        const thumb = el("button", { type: "button", class: "thumb", title: view.name, "aria-label": `Show ${view.name}`, onclick: () => this.open(index) }, image);
        this.thumbs[index] = thumb;
        thumbs.append(thumb);
      });
      const title = group.charAt(0).toUpperCase() + group.slice(1);
      const remark = this.groups[group];
      strip.append(el("div", { class: "group" }, el("h3", {}, title, remark ? el("small", {}, remark) : null), thumbs));
    }
    strip.hidden = this.views.length < 2;
  }

  segment(name, title, options, chosen, onChange) {
    const boxes = options.map(([value, text]) => {
      const input = el("input", { type: "radio", name, value, onchange: () => onChange(value) });
      input.checked = value === chosen;
      return el("label", {}, input, text);
    });
    return el("fieldset", { class: "seg" }, el("legend", {}, title), el("div", { class: "options" }, ...boxes));
  }

  drawTools() {
    const kinds = this.kinds.map((kind) => [kind, SHORT[kind]]);
    const side = (name, title) => this.segment(`side-${name}`, title, kinds, this[name], (kind) => {
      this[name] = kind;
      this.show();
    });
    const parts = [side("left", "Left"), side("right", "Right")];
    if (this.about.levels.length > 1) {
      const levels = this.about.levels.map((level) => [level, level.replace("quality ", "")]);
      parts.push(this.segment("level", "Quality", levels, this.level, (level) => {
        this.level = level;
        this.show();
      }));
    }
    this.tools.replaceChildren(...parts, this.zooms);
  }

  // -- showing

  open(index, scroll = false) {
    this.index = clamp(index, 0, this.views.length - 1);
    if (!this.about.levels.includes(this.level)) this.level = this.about.start;
    const kinds = this.kinds;
    if (!kinds.includes(this.left)) this.left = kinds.includes("original") ? "original" : "compact";
    if (!kinds.includes(this.right)) this.right = "batchcomp";
    this.thumbs.forEach((thumb, n) => {
      if (n === this.index) thumb.setAttribute("aria-current", "true");
      else thumb.removeAttribute("aria-current");
    });
    const strip = byId("strip"), thumb = this.thumbs[this.index];
    strip.scrollLeft = clamp(strip.scrollLeft, thumb.offsetLeft + thumb.offsetWidth - strip.clientWidth - strip.offsetLeft + 12, thumb.offsetLeft - strip.offsetLeft - 12);
    this.zoom = null;
    this.centre = null;
    this.drawTools();
    this.show();
    if (scroll) {
      this.section.scrollIntoView({ block: "start" });
      this.divider.focus({ preventScroll: true });
    }
  }

  show() {
    for (const [side, layer] of Object.entries(this.layers)) {
      const version = this.version(this[side]);
      layer.image.src = version.src;
      layer.image.alt = `${version.label}, ${this.about.name}`;
      layer.map.hidden = !(this.mapped && version.map);
      if (version.map) layer.map.src = version.map;
      const level = version.level && this.about.levels.length > 1 ? ` ${version.level.replace("quality ", "")}` : "";
      layer.tag.textContent = SHORT[version.kind] + level + (version.bytes !== null && version.kind !== "original" ? `, ${human(version.bytes)}` : "");
    }
    this.drawFacts();
    this.place();
    document.dispatchEvent(new Event("viewchange"));
  }

  get size() {
    return { width: this.about.box[2], height: this.about.box[3] };
  }

  get fit() {
    const { clientWidth, clientHeight } = this.stage;
    return Math.min(clientWidth / this.size.width, clientHeight / this.size.height, 4);
  }

  /** CSS pixels a pixel of the picture. */
  get scale() {
    return this.zoom === null ? this.fit : this.zoom / devicePixelRatio;
  }

  place() {
    const { clientWidth: wide, clientHeight: high } = this.stage;
    if (!wide) return;
    const { width, height } = this.size, scale = this.scale;
    this.centre ??= { x: width / 2, y: height / 2 };
    const bound = (value, side, room) => (side * scale <= room ? side / 2 : clamp(value, room / 2 / scale, side - room / 2 / scale));
    this.centre = { x: bound(this.centre.x, width, wide), y: bound(this.centre.y, height, high) };
    const left = wide / 2 - this.centre.x * scale, top = high / 2 - this.centre.y * scale;
    for (const layer of Object.values(this.layers)) {
      for (const image of [layer.image, layer.map]) {
        image.style.width = `${width}px`;
        image.style.height = `${height}px`;
        image.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
      }
      layer.box.classList.toggle("sharp", scale * devicePixelRatio >= 2);
    }
    this.layers.left.box.style.clipPath = `inset(0 ${100 - this.at}% 0 0)`;
    this.layers.right.box.style.clipPath = `inset(0 0 0 ${this.at}%)`;
    this.divider.style.left = `${this.at}%`;
    this.divider.setAttribute("aria-valuenow", Math.round(this.at));
    const { left: a, right: b } = this;
    this.divider.setAttribute("aria-valuetext", `${SHORT[a]} on the left ${Math.round(this.at)} %, ${SHORT[b]} on the right`);
    const larger = width * scale > wide + 1 || height * scale > high + 1;
    this.stage.classList.toggle("zoomed", larger);
    this.zoomText.textContent = `${Math.round(scale * devicePixelRatio * 100)} %`;
  }

  drawFacts() {
    const { name, size, box, thumb, shown } = this.about;
    const part = box[2] < size[0] || box[3] < size[1];
    const rows = this.kinds.map((kind) => {
      const one = this.version(kind);
      const bits = kind === "original" || one.bytes === null ? null : (one.bytes * 8) / (size[0] * size[1]);
      const on = kind === this.left || kind === this.right;
      return el("tr", { class: on ? "on" : null },
        el("th", { scope: "row" }, one.label), el("td", {}, human(one.bytes)), el("td", {}, fixed(bits, 3)), el("td", {}, fixed(one.ms_ssim, 4)));
    });
    const headings = ["Version", "Bytes", "bpp", "MS-SSIM"].map((text) => el("th", { scope: "col" }, text));
    const facts = [
      el("p", { class: "name" }, el("bdi", {}, name)),
      el("table", { class: "versions" }, el("thead", {}, el("tr", {}, ...headings)), el("tbody", {}, ...rows)),
    ];
    if (part) {
      const image = el("img", { src: thumb, alt: "The whole picture" });
      const frame = el("i");
      const percentOf = (value, whole) => `${(value / whole) * 100}%`;
      Object.assign(frame.style, {
        left: percentOf(box[0], size[0]), top: percentOf(box[1], size[1]), width: percentOf(box[2], size[0]), height: percentOf(box[3], size[1]),
      });
      facts.push(el("div", { class: "overview" }, image, frame));
      const where = this.version("original") ? "where batchcomp's picture is least like the original" : "its middle";
      facts.push(el("p", { class: "quiet" }, `Shown: ${box[2]} × ${box[3]} of ${size[0]} × ${size[1]} pixels, ${where}.`));
    } else {
      facts.push(el("p", { class: "quiet" }, `${size[0]} × ${size[1]} pixels.`));
    }
    if (this.mapped) {
      facts.push(el("div", { class: "key" }, "alike", el("i", { "aria-hidden": "true" }), "unlike"));
      facts.push(el("p", { class: "quiet" }, "The map shows SSIM against the original, pixel by pixel: from 1 (nothing drawn) to 0.5 and below."));
    }
    const notes = new Set(this.kinds.map((kind) => this.version(kind).note).filter(Boolean));
    if (this.version("compact")) notes.add("The compact JPEG is what the archive holds and any viewer shows: here enlarged to the picture's size.");
    if (shown < 100) notes.add(`So that the page stays small, the versions are written into it as WebP of quality ${shown}.`);
    facts.push(...[...notes].map((note) => el("p", { class: "quiet" }, note)));
    byId("viewer-facts").replaceChildren(...facts);
  }

  // -- acting

  setMapped(mapped) {
    this.mapped = mapped;
    this.mapButton.setAttribute("aria-pressed", String(mapped));
    this.show();
  }

  move(percentage) {
    this.at = clamp(percentage, 0, 100);
    this.place();
  }

  /** Zoom so that what lies under the pointer, or in the middle, stays where it is. */
  zoomTo(zoom, event) {
    const before = this.scale;
    const at = this.point(event);
    const { clientWidth, clientHeight } = this.stage;
    const offset = { x: at.x - clientWidth / 2, y: at.y - clientHeight / 2 };
    const under = { x: this.centre.x + offset.x / before, y: this.centre.y + offset.y / before };
    this.zoom = zoom === null ? null : clamp(zoom, ZOOMS[0], ZOOMS.at(-1));
    this.centre = { x: under.x - offset.x / this.scale, y: under.y - offset.y / this.scale };
    this.place();
  }

  zoomBy(steps, event) {
    const now = this.scale * devicePixelRatio;
    const next = steps > 0 ? ZOOMS.find((zoom) => zoom > now * 1.01) : ZOOMS.findLast((zoom) => zoom < now / 1.01);
    if (next) this.zoomTo(next, event);
  }

  point(event) {
    const box = this.stage.getBoundingClientRect();
    if (!event) return { x: box.width / 2, y: box.height / 2 };
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoomBy(event.deltaY < 0 ? 1 : -1, event);
  }

  press(event) {
    if (event.button) return;
    this.pointers.set(event.pointerId, this.point(event));
    this.stage.setPointerCapture(event.pointerId);
    if (this.pointers.size === 2) {
      this.pinch = { distance: this.spread(), zoom: this.scale * devicePixelRatio };
      return;
    }
    const onLine = this.divider.contains(event.target);
    this.dragging = onLine || !this.stage.classList.contains("zoomed") ? "line" : "picture";
    this.stage.classList.toggle("moving", this.dragging === "picture");
    if (this.dragging === "line" && (onLine || event.pointerType === "mouse")) this.moveLine(event);
    if (onLine) this.divider.focus({ preventScroll: true });
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.point(event);
    this.pointers.set(event.pointerId, now);
    if (this.pointers.size === 2) {
      const [a, b] = [...this.pointers.values()];
      const box = this.stage.getBoundingClientRect();
      const middle = { clientX: box.left + (a.x + b.x) / 2, clientY: box.top + (a.y + b.y) / 2 };
      this.zoomTo((this.pinch.zoom * this.spread()) / this.pinch.distance, middle);
    } else if (this.dragging === "line") {
      this.moveLine(event);
    } else {
      this.centre.x -= (now.x - before.x) / this.scale;
      this.centre.y -= (now.y - before.y) / this.scale;
      this.place();
    }
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    this.stage.classList.remove("moving");
  }

  spread() {
    const [a, b] = [...this.pointers.values()];
    return Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  }

  moveLine(event) {
    this.move((this.point(event).x / this.stage.clientWidth) * 100);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    const far = event.shiftKey ? 5 : 1;
    const actions = {
      ArrowLeft: () => this.move(this.at - STEP * far), ArrowRight: () => this.move(this.at + STEP * far),
      ArrowDown: () => this.move(this.at - STEP * far), ArrowUp: () => this.move(this.at + STEP * far),
      PageDown: () => this.move(this.at - 10), PageUp: () => this.move(this.at + 10),
      Home: () => this.move(0), End: () => this.move(100),
      "+": () => this.zoomBy(1), "=": () => this.zoomBy(1), "-": () => this.zoomBy(-1),
      0: () => this.zoomTo(null), 1: () => this.zoomTo(1), m: () => this.setMapped(!this.mapped),
      "[": () => this.open((this.index + this.views.length - 1) % this.views.length),
      "]": () => this.open((this.index + 1) % this.views.length),
    };
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const onSlider = event.target === this.divider;
    if (!actions[name] || (event.key.length > 1 && !onSlider)) return;
    event.preventDefault();
    actions[name]();
  }
}
