// The page of `report --html`.

const KINDS = {
  compact: "restored by the networks", packed: "packed", "compact-avif": "AVIF inside", jpeg: "plain JPEG",
  webp: "lossless WebP", png: "lossless PNG", verbatim: "as it is",
};

function readRows() {
  const columns = dataOf("rows");
  return columns.path.map((path, n) => {
    const row = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[n]]));
    const pixels = row.width * row.height;
    row.pixels = pixels;
    row.bpp = pixels ? (row.archived * 8) / pixels : null;
    row.saved = row.source ? 1 - row.archived / row.source : null;
    row.saved_vs_jpeg = row.jpeg_bytes ? 1 - row.archived / row.jpeg_bytes : null;
    row.search = path.toLowerCase();
    return row;
  });
}

function nameCell(row, viewer, views) {
  const view = views.get(row.path);
  const name = view === undefined ? el("bdi", {}, row.path) : el("button", { type: "button", class: "look", onclick: () => viewer.open(view, true) }, el("bdi", {}, row.path));
  const plain = ["compact", "packed", "compact-avif"].includes(row.stored) && !row.reason;
  if (plain) return name;
  const how = row.stored === "verbatim" ? `stored as it is: ${row.reason}` : row.reason || KINDS[row.stored] || row.stored;
  const cell = document.createDocumentFragment();
  cell.append(name, el("small", {}, how));
  return cell;
}

function tableColumns(viewer, views) {
  const lost = (row) => (row.won === false && row.ms_ssim !== null ? "lost" : null);
  const figure = (name, title, text, first = -1, kind = undefined) => ({ name, title, text: (row) => text(row[name]), value: (row) => row[name] ?? null, first, kind });
  const bytes = (name, title) => figure(name, title, human);
  const about = (column, name) => ({ ...column, text: (row) => (row.estimated && row[name] !== null ? "~" : "") + column.text(row) });
  return [
    { name: "path", title: "Picture", text: (row) => nameCell(row, viewer, views), value: (row) => row.path },
    { name: "pixels", title: "Pixels", text: (row) => (row.pixels ? `${row.width} × ${row.height}` : ABSENT), value: (row) => row.pixels, first: -1 },
    bytes("source", "Source"),
    bytes("archived", "Archived"),
    figure("saved", "Saved", percent),
    figure("bpp", "bpp", (value) => fixed(value, 3)),
    figure("ms_ssim", "MS\u2011SSIM", (value) => fixed(value, 4), 1),
    about(figure("jpeg_ms_ssim", "JPEG, same bytes", (value) => fixed(value, 4), 1, lost), "jpeg_ms_ssim"),
    about(bytes("jpeg_bytes", "JPEG, same MS\u2011SSIM"), "jpeg_bytes"),
    about(figure("saved_vs_jpeg", "Saved against JPEG", percent, 1, (row) => (row.saved_vs_jpeg < 0 ? "lost" : null)), "saved_vs_jpeg"),
  ];
}

function startFilters(table, rows, charts) {
  const search = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    table.filter("search", words.length ? (row) => words.every((word) => row.search.includes(word)) : null);
  });
  const kinds = [...new Set(rows.map((row) => row.stored))].sort();
  const kind = el("select", { id: "kind" }, el("option", { value: "" }, "any way"), ...kinds.map((name) => el("option", { value: name }, KINDS[name] ?? name)));
  kind.addEventListener("change", () => table.filter("kind", kind.value ? (row) => row.stored === kind.value : null));
  const lost = el("input", { type: "checkbox", id: "lost" });
  lost.addEventListener("change", () => table.filter("lost", lost.checked ? (row) => row.won === false : null));
  const count = el("p", { class: "count", role: "status" });
  const clear = el("button", { type: "button", class: "button", hidden: true, onclick: () => {
    search.value = kind.value = "";
    lost.checked = false;
    charts.forEach((chart) => chart.clear?.());
    table.filters.clear();
    table.arrange();
  } }, "Clear filters");
  table.onCount = (shown, all) => {
    count.textContent = shown === all ? `${grouped(all)} pictures` : `${grouped(shown)} of ${grouped(all)} pictures`;
    clear.hidden = !table.filters.size;
  };
  byId("filters").append(
    el("label", { class: "field" }, "Name contains", search),
    kinds.length > 1 ? el("label", { class: "field" }, "Stored", kind) : "",
    el("label", { class: "check" }, lost, "Only those not better than JPEG"),
    clear, count,
  );
  table.arrange();
  return search;
}

function startCharts(rows, pick, choose) {
  const measured = rows.filter((row) => row.ms_ssim !== null);
  if (measured.length < 2) return [];
  byId("charts").hidden = false;
  const grid = byId("chart-grid");
  const rival = measured.some((row) => row.jpeg_ms_ssim !== null);
  const legend = rival ? [["here"], ["JPEG", "rival"]] : [["here"]];
  const charts = [];
  const histogram = (name, options) => {
    const chart = new Histogram({ grid, legend, onPick: (keeps, text) => pick(name, chart, keeps, text), ...options });
    charts.push(chart);
  };
  const size = (bytes) => (bytes ? BYTES.to(bytes) : null);
  const likeness = (value) => (value === null ? null : decibels(value));
  histogram("archived", {
    title: "Size", scale: BYTES, axis: "bytes of a picture; JPEG's at the same MS-SSIM", label: "How many pictures have which size",
    values: measured.map((row) => ({ ours: size(row.archived), rival: size(row.jpeg_bytes) })),
  });
  histogram("ms_ssim", {
    title: "MS-SSIM", scale: LIKENESS, axis: "MS-SSIM; JPEG's at the same bytes", label: "How many pictures have which MS-SSIM",
    values: measured.map((row) => ({ ours: likeness(row.ms_ssim), rival: likeness(row.jpeg_ms_ssim) })),
  });
  const dots = (title, label, axis, scale, ours, theirs, wins) => {
    const points = measured.filter((row) => row[ours] && row[theirs]).map((row) => ({ x: scale.to(row[theirs]), y: scale.to(row[ours]), wins: wins(row), row }));
    if (points.length) charts.push(new Scatter({ grid, title, label, axis, scale, points, legend: [["better than JPEG"], ["not better", "losing"]], onPick: choose }));
  };
  dots("Bytes against JPEG", "A dot a picture: bytes here by bytes of JPEG at the same MS-SSIM", "JPEG's bytes at the same MS-SSIM \u2192", BYTES, "archived", "jpeg_bytes", (row) => row.archived < row.jpeg_bytes);
  dots("MS-SSIM against JPEG", "A dot a picture: MS-SSIM here by that of JPEG at the same bytes", "JPEG's MS-SSIM at the same bytes \u2192", LIKENESS, "ms_ssim", "jpeg_ms_ssim", (row) => row.ms_ssim > row.jpeg_ms_ssim);
  return charts;
}

function startReport() {
  const rows = readRows();
  const abouts = dataOf("abouts");
  const viewer = abouts.views.length ? new Viewer(abouts) : null;
  const views = new Map(abouts.views.map((view, n) => [view.name, n]));
  const table = new RowTable({
    frame: byId("table"), pager: byId("pager"), rows, columns: tableColumns(viewer, views), caption: "Every picture of the archive",
  });
  let search = null;
  const charts = startCharts(rows, (name, chart, keeps) => {
    const onScale = name === "archived" ? (row) => (row.ms_ssim === null ? null : BYTES.to(row.archived)) : (row) => (row.ms_ssim === null ? null : decibels(row.ms_ssim));
    table.filter(`bar-${name}`, keeps ? (row) => keeps(onScale(row)) : null);
  }, (row) => {
    search.value = row.path;
    search.dispatchEvent(new Event("input"));
    search.scrollIntoView({ block: "center" });
  });
  search = startFilters(table, rows, charts);
}
startReport();
