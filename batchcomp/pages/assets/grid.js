// A list of any length as tiles: only those in sight are in the page, and only their part of the list is asked for.

const PART = 200; // pictures that are asked for at once
const PARTS_KEPT = 40;
const GAP = 10;
const CAPTION = 28; // pixels below a tile
const AHEAD = 2; // rows above and below that are there before they are in sight
const SETTLED = 110; // milliseconds without scrolling after which pictures are asked for that flew by

class Grid {
  /** `ask(start, count)` gives an answer of /api/pictures; `onOpen(index)`; `onAnswer(answer)` is told of each. */
  constructor({ list, ask, onOpen, onAnswer }) {
    Object.assign(this, { list, ask, onOpen, onAnswer });
    this.tiles = new Map();
    this.current = 0;
    this.reset();
    addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.resize()).observe(list);
    list.addEventListener("keydown", (event) => this.key(event));
    list.addEventListener("focusin", (event) => {
      const tile = event.target.closest("li");
      if (tile) this.choose(Number(tile.dataset.index));
    });
  }

  /** Begin another list. */
  reset() {
    this.parts = new Map();
    this.total = 0;
    this.state = null;
    this.run = (this.run ?? 0) + 1;
    this.current = 0;
    for (const index of [...this.tiles.keys()]) this.drop(index);
    this.load(0);
  }

  /** Ask again for what is in sight, since the archive changed. */
  refresh(answer) {
    this.parts.clear();
    this.run += 1;
    this.take(answer);
    this.draw();
  }

  async load(part) {
    if (this.parts.has(part)) return this.parts.get(part);
    const run = this.run;
    const loading = this.ask(part * PART, PART).then(
      (answer) => {
        if (run !== this.run) return [];
        if (this.state !== null && answer.state !== this.state) {
          this.parts.clear();
          this.run += 1;
        }
        this.take(answer);
        this.parts.set(part, answer.items);
        for (const old of this.parts.keys()) if (this.parts.size > PARTS_KEPT) this.parts.delete(old);
        this.draw();
        return answer.items;
      },
      () => {
        if (run === this.run) this.parts.delete(part);
        return [];
      },
    );
    this.parts.set(part, loading);
    return loading;
  }

  take(answer) {
    this.state = answer.state;
    this.total = answer.total;
    this.onAnswer(answer);
    this.resize();
  }

  /** The picture at a place, once it is known; undefined where there is none. */
  async item(index) {
    const items = await this.load(Math.floor(index / PART));
    return items[index % PART];
  }

  known(index) {
    const items = this.parts.get(Math.floor(index / PART));
    return Array.isArray(items) ? items[index % PART] : undefined;
  }

  // -- where tiles are

  resize() {
    const wide = this.list.clientWidth;
    if (!wide) return;
    const least = wide < 520 ? 104 : wide < 1400 ? 168 : 210;
    this.columns = Math.max(2, Math.floor((wide + GAP) / (least + GAP)));
    this.side = (wide - GAP * (this.columns - 1)) / this.columns;
    this.step = this.side + CAPTION + GAP;
    this.list.style.height = `${Math.ceil(this.total / this.columns) * this.step}px`;
    this.draw();
  }

  scrolled() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.fast = false;
      this.draw();
    }, SETTLED);
    const moved = Math.abs(scrollY - (this.lastY ?? scrollY));
    this.lastY = scrollY;
    this.fast = moved > innerHeight * 0.8;
    if (!this.drawing) {
      this.drawing = requestAnimationFrame(() => {
        this.drawing = null;
        this.draw();
      });
    }
  }

  draw() {
    if (!this.step) return;
    const top = this.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / this.step) - AHEAD) * this.columns;
    const last = Math.min(this.total, (Math.ceil((innerHeight - top) / this.step) + AHEAD) * this.columns);
    const focused = this.tiles.get(this.current)?.contains(document.activeElement);
    for (const index of [...this.tiles.keys()]) {
      const kept = index === this.current && focused && index < this.total;
      if ((index < first || index >= last) && !kept) this.drop(index);
    }
    for (let index = first; index < last; index += 1) this.place(index);
    if (!this.fast) for (let part = Math.floor(first / PART); part * PART < last; part += 1) this.load(part);
  }

  place(index) {
    const tile = this.tiles.get(index) ?? this.make(index);
    const column = index % this.columns, row = Math.floor(index / this.columns);
    tile.style.transform = `translate(${column * (this.side + GAP)}px, ${row * this.step}px)`;
    tile.style.width = `${this.side}px`;
    tile.style.height = `${this.step - GAP}px`;
    tile.setAttribute("aria-setsize", this.total);
    const item = this.known(index);
    if (item && tile.dataset.key !== item[0]) this.name(tile, item);
    if (item && !this.fast && !tile.image.getAttribute("src") && !tile.classList.contains("broken")) {
      tile.image.src = `/thumb/${item[0]}`;
    }
  }

  make(index) {
    const image = el("img", { alt: "", decoding: "async", draggable: "false" });
    const caption = el("span", { class: "caption" }, "\u00a0");
    const button = el("button", { type: "button", class: "open", tabindex: index === this.current ? 0 : -1, "aria-label": `Picture ${index + 1}`, onclick: () => this.onOpen(index) }, image, el("span", { class: "sorry", "aria-hidden": "true" }), caption);
    const tile = el("li", { class: "tile", "data-index": index, "aria-posinset": index + 1 }, button);
    Object.assign(tile, { image, caption, button });
    image.addEventListener("load", () => tile.classList.add("there"));
    image.addEventListener("error", () => this.failed(tile));
    this.tiles.set(index, tile);
    this.list.append(tile);
    return tile;
  }

  name(tile, item) {
    const [key, path] = item;
    tile.dataset.key = key;
    tile.classList.remove("broken", "there");
    tile.image.removeAttribute("src");
    tile.caption.textContent = path.slice(path.lastIndexOf("/") + 1);
    tile.button.setAttribute("aria-label", path);
    tile.button.title = path;
  }

  drop(index) {
    const tile = this.tiles.get(index);
    tile.image.removeAttribute("src"); // what was asked for is not needed any more
    tile.remove();
    this.tiles.delete(index);
  }

  /** Say why there is no picture, or ask again where there is too much to do. */
  async failed(tile) {
    const key = tile.dataset.key;
    const answer = await fetch(`/thumb/${key}`).catch(() => null);
    if (tile.dataset.key !== key || !tile.isConnected) return;
    if (!answer || answer.ok || answer.status === 503) {
      setTimeout(() => {
        if (tile.dataset.key === key && tile.isConnected) tile.image.src = `/thumb/${key}`;
      }, 2000);
      return;
    }
    const { error } = await answer.json().catch(() => ({ error: "cannot be shown" }));
    tile.classList.add("broken");
    tile.image.removeAttribute("src");
    tile.button.title = `${tile.button.getAttribute("aria-label")}: ${error}`;
    tile.querySelector(".sorry").textContent = "Cannot be shown";
  }

  // -- the keyboard

  choose(index) {
    this.tiles.get(this.current)?.button.setAttribute("tabindex", -1);
    this.current = index;
    this.tiles.get(index)?.button.setAttribute("tabindex", 0);
  }

  /** Bring a tile into sight and give it the focus. */
  focus(index) {
    const top = this.list.getBoundingClientRect().top + Math.floor(index / this.columns) * this.step;
    const under = document.querySelector(".bar").getBoundingClientRect().bottom;
    if (top < under + GAP) scrollBy(0, top - under - GAP);
    else if (top + this.step > innerHeight) scrollBy(0, top + this.step - innerHeight);
    this.choose(index);
    this.place(index);
    this.tiles.get(index).button.focus({ preventScroll: true });
    this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = Math.max(1, Math.floor(innerHeight / this.step) - 1);
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -rows * this.columns, PageDown: rows * this.columns };
    const to = { Home: 0, End: this.total - 1 }[event.key] ?? (by[event.key] === undefined ? undefined : this.current + by[event.key]);
    if (to === undefined || !this.total) return;
    event.preventDefault();
    const far = event.key.startsWith("Page") ? clamp(to, 0, this.total - 1) : to;
    if (far >= 0 && far < this.total) this.focus(far);
  }
}
