// A table of many rows: sorted by its headings, filtered, a page at a time.

const PAGE_ROWS = 50;

class RowTable {
  /**
   * columns: [{name, title, text(row) -> string or node, value(row) -> number, string or null, first: direction}]
   * rows: any objects; `names(row)` is what the search looks through.
   */
  constructor({ frame, pager, columns, rows, names, onCount, caption }) {
    Object.assign(this, { frame, pager, columns, rows, names, onCount });
    this.filters = new Map();
    this.sorted = { column: columns[0], direction: 1 };
    this.page = 0;
    this.head = el("tr");
    this.body = el("tbody");
    for (const column of columns) {
      const button = el("button", { type: "button", onclick: () => this.sort(column) }, column.title);
      this.head.append(el("th", { scope: "col" }, button));
    }
    frame.append(el("table", { class: "rows" }, el("caption", { hidden: true }, caption), el("thead", {}, this.head), this.body));
    this.back = el("button", { type: "button", class: "button", onclick: () => this.turn(-1) }, "Previous");
    this.forth = el("button", { type: "button", class: "button", onclick: () => this.turn(1) }, "Next");
    this.where = el("span", { role: "status" });
    pager.append(this.where, this.back, this.forth);
    this.arrange();
  }

  sort(column) {
    const again = this.sorted.column === column;
    this.sorted = { column, direction: again ? -this.sorted.direction : column.first ?? 1 };
    this.arrange();
  }

  /** Set a filter, row -> boolean, or remove it with null. */
  filter(name, keeps) {
    if (keeps) this.filters.set(name, keeps);
    else this.filters.delete(name);
    this.arrange();
  }

  arrange() {
    const { column, direction } = this.sorted;
    const filters = [...this.filters.values()];
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    const keyed = this.rows.filter((row) => filters.every((keeps) => keeps(row))).map((row) => [column.value(row), row]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null); // what is not known comes last either way
      return direction * (typeof a === "string" ? compare(a, b) : a - b);
    });
    this.shown = keyed.map(([, row]) => row);
    this.page = 0;
    [...this.head.children].forEach((heading, n) => {
      if (this.columns[n] === column) heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else heading.removeAttribute("aria-sort");
    });
    this.onCount?.(this.shown.length, this.rows.length);
    this.draw();
  }

  turn(step) {
    this.page = clamp(this.page + step, 0, this.pages - 1);
    this.draw();
    this.frame.scrollIntoView({ block: "start" });
  }

  get pages() {
    return Math.max(1, Math.ceil(this.shown.length / PAGE_ROWS));
  }

  draw() {
    const start = this.page * PAGE_ROWS;
    const part = this.shown.slice(start, start + PAGE_ROWS);
    this.body.replaceChildren(
      ...part.map((row) =>
        el("tr", {}, ...this.columns.map((column, n) => {
          const found = column.text(row);
          const kind = column.kind?.(row);
          return n ? el("td", { class: kind }, found) : el("th", { scope: "row" }, found);
        })),
      ),
    );
    if (!part.length) {
      this.body.append(el("tr", {}, el("td", { colspan: this.columns.length }, "Nothing matches.")));
    }
    this.back.disabled = this.page === 0;
    this.forth.disabled = this.page >= this.pages - 1;
    this.where.textContent = this.pages > 1 ? `${grouped(start + 1)} to ${grouped(start + part.length)} of ${grouped(this.shown.length)}` : "";
    this.pager.hidden = this.pages <= 1;
  }
}
