// Histograms and scatter plots. Their bars and dots filter the table.

const PAD = { left: 46, right: 10, top: 8, bottom: 34 };

/** Log scale of bytes, with ticks at 1, 10, 100 kB and so on, at 2 and 5 too where few fit. */
const BYTES = {
  to: (bytes) => Math.log10(Math.max(1, bytes)),
  ticks(low, high) {
    const found = [];
    const steps = high - low > 2.5 ? [1] : high - low > 1.2 ? [1, 3] : [1, 2, 5];
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const step of steps) found.push(Math.log10(step) + power);
    }
    return found.filter((tick) => tick >= low && tick <= high);
  },
  say: (at) => human(Math.round(10 ** at)).replace(".0 ", " "),
};

/** MS-SSIM in decibels, so that equal steps look about equal, labelled as MS-SSIM. */
const LIKENESS = {
  to: decibels,
  ticks: (low, high) =>
    [0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999].map(decibels).filter((tick) => tick >= low && tick <= high),
  say: (at) => String(Number(similarityOf(at).toFixed(4))),
};

const boundsOf = (values, margin = 0) => {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const more = Math.max((high - low) * margin, 0.02);
  return [low - more, high + more];
};

function thinned(ticks, scale, room) {
  const kept = [];
  for (const tick of ticks) if (!kept.length || Math.abs(scale(tick) - scale(kept.at(-1))) >= room) kept.push(tick);
  return kept;
}

class Chart {
  constructor({ grid, title, legend, label }) {
    this.svg = el("svg:svg", { role: "group", "aria-label": label });
    this.tip = el("div", { class: "tip", hidden: true });
    this.plot = el("div", { class: "plot" }, this.svg, this.tip);
    const keys = legend.map(([text, kind]) => el("span", { class: kind }, text));
    grid.append(el("figure", { class: "chart" }, el("figcaption", {}, el("h3", {}, title), el("div", { class: "legend" }, ...keys)), this.plot));
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  frame() {
    this.wide = this.plot.clientWidth;
    this.high = this.plot.clientHeight;
    this.x = (value) => PAD.left + ((value - this.xs[0]) / (this.xs[1] - this.xs[0])) * (this.wide - PAD.left - PAD.right);
    this.y = (value) => this.high - PAD.bottom - ((value - this.ys[0]) / (this.ys[1] - this.ys[0])) * (this.high - PAD.top - PAD.bottom);
    this.svg.setAttribute("viewBox", `0 0 ${this.wide} ${this.high}`);
    this.svg.replaceChildren();
  }

  axes(xTicks, yTicks, xSay, ySay, xTitle, yTitle = "") {
    const bottom = this.high - PAD.bottom;
    for (const tick of thinned(yTicks, this.y, 26)) {
      const y = this.y(tick);
      this.svg.append(el("svg:line", { class: "grid", x1: PAD.left, x2: this.wide - PAD.right, y1: y, y2: y }));
      this.svg.append(el("svg:text", { x: PAD.left - 7, y: y + 4, "text-anchor": "end" }, ySay(tick)));
    }
    for (const tick of thinned(xTicks, this.x, 48)) {
      const x = this.x(tick);
      this.svg.append(el("svg:line", { class: "axis", x1: x, x2: x, y1: bottom, y2: bottom + 4 }));
      this.svg.append(el("svg:text", { x, y: bottom + 16, "text-anchor": "middle" }, xSay(tick)));
    }
    this.svg.append(el("svg:line", { class: "axis", x1: PAD.left, x2: this.wide - PAD.right, y1: bottom, y2: bottom }));
    this.svg.append(el("svg:text", { x: (PAD.left + this.wide - PAD.right) / 2, y: this.high - 3, "text-anchor": "middle" }, xTitle));
    if (yTitle) this.svg.append(el("svg:text", { class: "over", x: PAD.left + 6, y: PAD.top + 10 }, yTitle));
  }

  say(x, y, text) {
    this.tip.hidden = !text;
    if (!text) return;
    this.tip.textContent = text;
    this.tip.style.left = `${clamp(x + 12, 0, Math.max(0, this.wide - this.tip.offsetWidth))}px`;
    this.tip.style.top = `${y > this.high / 2 ? y - this.tip.offsetHeight - 10 : y + 14}px`;
  }
}

class Histogram extends Chart {
  /** values: [{ours, rival, row}], already on the scale; onPick([low, high] or null, text) */
  constructor({ values, scale, onPick, axis, ...rest }) {
    super(rest);
    Object.assign(this, { scale, onPick, axis });
    this.xs = boundsOf(values.flatMap((one) => [one.ours, one.rival].filter((value) => value !== null)));
    const count = clamp(Math.round(Math.sqrt(values.length) * 1.4), 6, 36);
    this.step = (this.xs[1] - this.xs[0]) / count;
    const binOf = (value) => clamp(Math.floor((value - this.xs[0]) / this.step), 0, count - 1);
    this.ours = new Array(count).fill(0);
    this.rival = new Array(count).fill(0);
    for (const one of values) {
      if (one.ours !== null) this.ours[binOf(one.ours)] += 1;
      if (one.rival !== null) this.rival[binOf(one.rival)] += 1;
    }
    this.ys = [0, Math.max(...this.ours, ...this.rival, 1) * 1.04];
    this.picked = null;
    this.focused = Math.max(0, this.ours.findIndex((count) => count));
  }

  draw() {
    this.frame();
    const most = this.ys[1], unit = 10 ** Math.floor(Math.log10(most)), step = most / unit > 4 ? unit * 2 : most / unit > 1.9 ? unit : unit / 2;
    const ticks = [];
    for (let tick = 0; tick <= most; tick += Math.max(1, step)) ticks.push(tick);
    this.axes(this.scale.ticks(...this.xs), ticks, this.scale.say, grouped, this.axis);
    const bottom = this.y(0), wide = this.x(this.xs[0] + this.step) - this.x(this.xs[0]);
    this.bars = this.ours.map((count, n) => {
      const low = this.xs[0] + n * this.step, x = this.x(low), y = this.y(count);
      const text = `${this.scale.say(low)} to ${this.scale.say(low + this.step)}: ${grouped(count)} here, ${grouped(this.rival[n])} as JPEG`;
      const bar = el("svg:rect", {
        class: "bar", role: "button", tabindex: n === this.focused ? 0 : -1, "aria-label": text, "aria-pressed": String(this.picked === n),
        x: x + 0.75, width: Math.max(1, wide - 1.5), y: count ? Math.min(y, bottom - 2) : bottom - 1, height: count ? Math.max(2, bottom - y) : 1,
        onclick: () => this.pick(n), onkeydown: (event) => this.key(event, n),
        onpointerenter: () => this.say(x, y, text), onpointerleave: () => this.say(0, 0, ""),
        onfocus: () => this.say(x, y, text), onblur: () => this.say(0, 0, ""),
      });
      this.svg.append(bar);
      return bar;
    });
    if (!this.rival.some(Boolean)) return;
    const path = this.rival.map((count, n) => {
      const x = this.x(this.xs[0] + n * this.step), y = this.y(count);
      return `${n ? "L" : `M${x} ${bottom}L`}${x} ${y}H${x + wide}`;
    });
    this.svg.append(el("svg:path", { class: "outline", d: `${path.join("")}V${bottom}` }));
  }

  key(event, n) {
    const to = { ArrowLeft: n - 1, ArrowRight: n + 1, Home: 0, End: this.bars.length - 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") this.pick(n);
    else if (to === undefined || !this.bars[to]) return;
    else {
      this.focused = to;
      this.bars.forEach((bar, m) => bar.setAttribute("tabindex", m === to ? 0 : -1));
      this.bars[to].focus();
    }
    event.preventDefault();
  }

  pick(n) {
    this.picked = this.picked === n ? null : n;
    this.focused = n;
    this.bars.forEach((bar, m) => bar.setAttribute("aria-pressed", String(this.picked === m)));
    const low = this.xs[0] + n * this.step;
    const text = `${this.scale.say(low)} to ${this.scale.say(low + this.step)}`;
    if (this.picked === null) this.onPick(null);
    else this.onPick((value) => value !== null && clamp(Math.floor((value - this.xs[0]) / this.step), 0, this.bars.length - 1) === n, text);
  }

  clear() {
    this.picked = null;
    this.bars?.forEach((bar) => bar.setAttribute("aria-pressed", "false"));
  }
}

class Scatter extends Chart {
  /** points: [{x, y, wins, row}] on one scale for both axes, so that the diagonal is "the same as JPEG". */
  constructor({ points, scale, onPick, axis, ...rest }) {
    super(rest);
    Object.assign(this, { points, scale, onPick, axis });
    this.xs = this.ys = boundsOf(points.flatMap(({ x, y }) => [x, y]), 0.03);
    this.winning = el("canvas", { "aria-hidden": "true" });
    this.losing = el("canvas", { class: "losing", "aria-hidden": "true" });
    this.plot.prepend(this.winning, this.losing);
    document.addEventListener("themechange", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  draw() {
    this.frame();
    const ticks = this.scale.ticks(...this.xs);
    this.axes(ticks, ticks, this.scale.say, this.scale.say, this.axis, "\u2191 here");
    const [low, high] = this.xs;
    this.svg.append(el("svg:line", { class: "diagonal", x1: this.x(low), y1: this.y(low), x2: this.x(high), y2: this.y(high) }));
    for (const [canvas, wins] of [[this.winning, true], [this.losing, false]]) this.dots(canvas, wins);
    this.svg.append(el("svg:rect", {
      class: "hit", x: PAD.left, y: PAD.top, width: Math.max(0, this.wide - PAD.left - PAD.right), height: Math.max(0, this.high - PAD.top - PAD.bottom),
      onpointermove: (event) => this.hover(event), onpointerleave: () => this.say(0, 0, ""),
      onclick: (event) => this.nearest(event) && this.onPick(this.nearest(event).row),
    }));
  }

  dots(canvas, wins) {
    canvas.width = this.wide * devicePixelRatio;
    canvas.height = this.high * devicePixelRatio;
    const context = canvas.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    context.fillStyle = getComputedStyle(canvas).color;
    context.globalAlpha = clamp(40 / Math.sqrt(this.points.length), 0.3, 0.85);
    const radius = this.points.length > 2000 ? 2 : 3.5;
    for (const point of this.points) {
      if (point.wins !== wins) continue;
      context.beginPath();
      context.arc(this.x(point.x), this.y(point.y), radius, 0, 2 * Math.PI);
      context.fill();
    }
  }

  nearest(event) {
    const box = this.plot.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let [best, least] = [null, 14 ** 2];
    for (const point of this.points) {
      const distance = (this.x(point.x) - x) ** 2 + (this.y(point.y) - y) ** 2;
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  }

  hover(event) {
    const point = this.nearest(event);
    if (!point) this.say(0, 0, "");
    else this.say(this.x(point.x), this.y(point.y), `${point.row.path}: ${this.scale.say(point.y)} here, ${this.scale.say(point.x)} as JPEG`);
  }
}
