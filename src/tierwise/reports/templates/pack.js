"use strict";
// Searches, filters and sorts the rows that the page shows, and finds partners among those on other pages.
(function () {
  document.documentElement.classList.add("scripted");
  const body = document.getElementById("rows");
  const rows = body ? Array.from(body.rows) : [];
  const search = document.getElementById("search");
  const said = document.getElementById("said");
  const filters = Array.from(document.querySelectorAll("select[data-column]"));
  const texts = rows.map(row => row.textContent.toLowerCase());
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = filters.filter(filter => filter.value).map(filter => [filter.dataset.column, filter.value]);
    let shown = 0;
    rows.forEach((row, place) => {
      const fits = words.every(word => texts[place].includes(word)) &&
        wanted.every(([column, value]) => row.dataset[column] === value);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    said.textContent = shown.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " partners shown";
    find(words);
  }

  function keyOf(row, column) {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value || "-Infinity");
  }

  function sort(header, column) {
    const rising = header.getAttribute("aria-sort") !== "ascending";
    const keyed = Array.from(body.rows, row => [keyOf(row, column), row]);
    keyed.sort((one, other) => {
      const order = typeof one[0] === "number" ? one[0] - other[0] : collator.compare(one[0], other[0]);
      return rising ? order : -order;
    });
    header.parentElement.querySelectorAll("th").forEach(other => {
      if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    });
    header.setAttribute("aria-sort", rising ? "ascending" : "descending");
    body.append(...keyed.map(pair => pair[1]));
    said.textContent = "Sorted by " + header.textContent.trim() + (rising ? ", rising" : ", falling");
  }

  const finder = document.getElementById("finder");
  const hits = document.getElementById("hits");
  const known = finder ? finder.textContent.split("\n").filter(Boolean) : [];
  const lowered = known.map(line => line.toLowerCase());
  const tiers = hits ? hits.dataset.tiers.split("\t") : [];

  function find(words) {
    if (!hits) return;
    hits.textContent = "";
    if (!words.length) return;
    let found = 0;
    for (let place = 0; place < known.length && found < 30; place += 1) {
      if (!words.every(word => lowered[place].includes(word))) continue;
      found += 1;
      const [id, name, tier, page] = known[place].split("\t");
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = "list-" + page.padStart(3, "0") + ".html#p" + place;
      link.textContent = name && name !== id ? name + " (" + id + ")" : id;
      item.append(link, " " + (tiers[Number(tier)] || ""));
      hits.append(item);
    }
    if (!found) hits.textContent = "No partner found.";
  }

  if (!body) return;
  document.querySelectorAll("th button.sort").forEach(button => {
    const header = button.parentElement;
    button.addEventListener("click", () => sort(header, header.cellIndex));
  });
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 120); });
  filters.forEach(filter => filter.addEventListener("change", show));
  document.getElementById("clear").addEventListener("click", () => {
    search.value = "";
    filters.forEach(filter => { filter.value = ""; });
    show();
    search.focus();
  });
  show();
}());
