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
      for (const { x, y } of one.at) this.svg.append(el("svg:circle", { class: `dot ${one.colour}`, cx: this.x(x), cy: this.y(y), r: one.kind === "ours" ? 4 : 3 }));
    }
    if (this.few) this.names(this.series.filter((one) => one.shown).sort((a, b) => order[b.kind] - order[a.kind]));
    this.mark = el("svg:circle", { class: "mark", r: 7, visibility: "hidden" });
    this.svg.append(this.mark);
  }

  /** Names of points beside them, those of the first lines first: clear of other names and points, and of lines as far as that goes. */
  names(lines) {
    const dots = lines.flatMap((one) => one.at.map(({ x, y }) => [this.x(x), this.y(y)]));
    const onLines = lines.flatMap((one) => one.at.slice(1).flatMap((to, n) => this.between(one.at[n], to)));
    const taken = [];
    for (const one of lines) for (const at of one.at) this.label(one, at, { dots, onLines, taken });
  }

  /** Places on the line from one point to another, some pixels apart. */
  between(from, to) {
    const [x, y, right, down] = [this.x(from.x), this.y(from.y), this.x(to.x) - this.x(from.x), this.y(to.y) - this.y(from.y)];
    const steps = Math.ceil(Math.hypot(right, down) / 4);
    return Array.from({ length: steps + 1 }, (_, n) => [x + (right * n) / steps, y + (down * n) / steps]);
  }

  label(one, at, { dots, onLines, taken }) {
    const text = el("svg:text", { class: `name ${one.colour}` }, at.text.length > 32 || !at.text ? one.name : at.text);
    this.svg.append(text);
    const wide = text.getComputedTextLength(), high = 14, x = this.x(at.x), y = this.y(at.y);
    const [right, left, middle] = [x + 8, x - 8 - wide, x - wide / 2], [above, below] = [y - high - 6, y + 6];
    const places = [[right, y - high / 2], [left, y - high / 2], [middle, above], [middle, below], [right - 4, above], [right - 4, below], [left + 4, above], [left + 4, below]];
    const inside = ([px, py], [bx, by], margin) => px > bx - margin && px < bx + wide + margin && py > by - margin && py < by + high + margin;
    const free = places.filter(
      (place) =>
        place[0] >= PAD.left + 2 && place[0] + wide <= this.wide - 2 && place[1] >= PAD.top + 14 && place[1] + high <= this.high - PAD.bottom &&
        !taken.some(([bx, by, other]) => place[0] < bx + other + 4 && place[0] + wide + 4 > bx && place[1] < by + high && place[1] + high > by) &&
        !dots.some((dot) => (dot[0] !== x || dot[1] !== y) && inside(dot, place, 4)),
    );
    const crossed = (place) => onLines.filter((spot) => inside(spot, place, 0)).length;
    const [best] = free.map((place) => [place, crossed(place)]).sort((a, b) => a[1] - b[1])[0] ?? [];
    if (!best) {
      text.remove(); // its name comes up under the pointer, and the table has it
      return;
    }
    taken.push([...best, wide]);
    text.setAttribute("x", best[0]);
    text.setAttribute("y", best[1] + 11);
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
