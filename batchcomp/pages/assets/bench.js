// Charts of lines: a codec a line, each of which its legend shows or hides.

const COLOURS = 8; // of rivals in bench.css; the ninth has the first one again, in dashes
const DASHES = ["", "7 4", "2 4", "9 3 2 3"];
const HEADROOM = 0.1; // of the height, for the title of the axis above the points

const NUMBERS = {
  to: (value) => value,
  ticks(low, high) {
    const rough = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * unit).find((one) => one >= rough);
    const found = [];
    for (let tick = Math.ceil(low / step); tick * step <= high + 1e-9; tick += 1) found.push(tick * step);
    return found;
  },
  say: (at) => String(Number(at.toPrecision(6))),
};

const POWERS = {
  to: (value) => Math.log10(Math.max(1e-9, value)),
  ticks(low, high) {
    const steps = high - low > 2.5 ? [1] : high - low > 1.2 ? [1, 3] : [1, 2, 5], found = [];
    for (let power = Math.floor(low); power <= high; power += 1) for (const step of steps) found.push(Math.log10(step) + power);
    return found.filter((tick) => tick >= low && tick <= high);
  },
  say: (at) => String(Number((10 ** at).toPrecision(2))),
};

const SCALES = { linear: NUMBERS, log: POWERS, likeness: LIKENESS };

function dashOf(one, series, colour) {
  if (one.kind === "published") return "3 4";
  if (one.kind === "rival") return colour > COLOURS ? "8 3" : "";
  return DASHES[series.filter((other) => other.kind === "ours").indexOf(one) % DASHES.length];
}

class LineChart extends Chart {
  constructor({ chart, grid }) {
    super({ grid, title: chart.title, legend: [], label: `${chart.title}: ${chart.y.title} over ${chart.x.title}` });
    this.chart = chart;
    this.scales = { x: SCALES[chart.x.scale], y: SCALES[chart.y.scale] };
    const figure = this.plot.parentElement;
    figure.classList.add("lines");
    let colour = 0;
    this.series = chart.series.map((one) => ({
      ...one,
      colour: one.kind === "rival" ? `c${(colour += 1) % COLOURS}` : one.kind,
      dash: dashOf(one, chart.series, colour),
      at: one.points.map(([x, y, text]) => ({ x: this.scales.x.to(x), y: this.scales.y.to(y), text, raw: [x, y] })),
    }));
    this.legend(figure);
    if (chart.note) figure.append(el("p", { class: "quiet" }, chart.note));
    this.svg.addEventListener("pointermove", (event) => this.hover(event));
    this.svg.addEventListener("pointerleave", () => this.point(null));
  }

  legend(figure) {
    const boxes = this.series.map((one) => {
      const box = el("input", { type: "checkbox", onchange: () => {
        one.shown = box.checked;
        this.draw();
      } });
      box.checked = one.shown;
      return el("label", { class: `key-line ${one.colour}` }, box, el("i", { class: one.dash ? "dashed" : "", "aria-hidden": "true" }), one.name);
    });
    const shown = boxes.filter((_, n) => this.series[n].kind !== "published");
    const published = boxes.filter((_, n) => this.series[n].kind === "published");
    figure.append(el("div", { class: "key-lines", role: "group", "aria-label": `Lines of ${this.chart.title}` }, ...shown));
    if (published.length) figure.append(el("details", { class: "published" }, el("summary", {}, "Published curves"), el("div", { class: "key-lines", role: "group", "aria-label": "Published curves" }, ...published)));
  }

  draw() {
    const all = this.series.filter((one) => one.shown).flatMap((one) => one.at);
    this.frameFor(all.length ? all : [{ x: 0, y: 0 }, { x: 1, y: 1 }]);
    this.axes(this.scales.x.ticks(...this.xs), this.scales.y.ticks(...this.ys), this.scales.x.say, this.scales.y.say, this.chart.x.title, `\u2191 ${this.chart.y.title}`);
    this.few = this.series.length > 1 && all.length <= 30 && this.series.every((one) => one.kind !== "published");
    const order = { published: 0, rival: 1, ours: 2 };
    for (const one of [...this.series].sort((a, b) => order[a.kind] - order[b.kind])) {
      if (!one.shown) continue;
      const path = one.at.map(({ x, y }, n) => `${n ? "L" : "M"}${this.x(x).toFixed(1)} ${this.y(y).toFixed(1)}`).join("");
      if (one.at.length > 1) this.svg.append(el("svg:path", { class: `line ${one.colour}`, d: path, "stroke-dasharray": one.dash || null }));
      if (one.kind === "published") continue;
      if (this.few) for (const at of one.at) this.label(one, at);
      for (const { x, y } of one.at) this.svg.append(el("svg:circle", { class: `dot ${one.colour}`, cx: this.x(x), cy: this.y(y), r: one.kind === "ours" ? 4 : 3 }));
    }
    this.mark = el("svg:circle", { class: "mark", r: 7, visibility: "hidden" });
    this.svg.append(this.mark);
  }

  /** The name of a point beside it, on the side where there is room. */
  label(one, at) {
    const x = this.x(at.x), y = this.y(at.y), left = x > this.wide * 0.7;
    const text = at.text.length > 24 || !at.text ? one.name : at.text;
    this.svg.append(el("svg:text", { class: `name ${one.colour}`, x: x + (left ? -8 : 8), y: y + 4, "text-anchor": left ? "end" : "start" }, text));
  }

  frameFor(points) {
    this.xs = boundsOf(points.map(({ x }) => x), 0.04);
    this.ys = boundsOf(points.map(({ y }) => y), 0.06);
    this.ys[1] += (this.ys[1] - this.ys[0]) * HEADROOM;
    if (this.chart.x.scale === "linear" && this.xs[0] < 0) this.xs[0] = 0;
    this.frame();
  }

  hover(event) {
    const box = this.plot.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let [best, least] = [null, 26 ** 2];
    for (const one of this.series) {
      if (!one.shown) continue;
      for (const at of one.at) {
        const distance = (this.x(at.x) - x) ** 2 + (this.y(at.y) - y) ** 2;
        if (distance < least) [best, least] = [{ one, at }, distance];
      }
    }
    this.point(best);
  }

  point(found) {
    if (!this.mark) return;
    this.mark.setAttribute("visibility", found ? "visible" : "hidden");
    if (!found) {
      this.say(0, 0, "");
      return;
    }
    const { one, at } = found, x = this.x(at.x), y = this.y(at.y);
    this.mark.setAttribute("cx", x);
    this.mark.setAttribute("cy", y);
    const name = at.text && !at.text.startsWith(one.name) ? `${one.name}, ${at.text}` : at.text || one.name;
    this.say(x, y, `${name}: ${Number(at.raw[1].toPrecision(4))} at ${Number(at.raw[0].toPrecision(3))} ${this.chart.x.title}`);
  }
}

const found = dataOf("charts-data");
if (found.length) {
  byId("charts").hidden = false;
  const charts = found.map((chart) => new LineChart({ chart, grid: byId("chart-grid") }));
  document.addEventListener("themechange", () => charts.forEach((chart) => chart.draw()));
}
