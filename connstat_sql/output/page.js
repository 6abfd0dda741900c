"use strict";
(() => {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const whole = /^-?\d+$/;

  const numbers = (a, b) => {
    if (whole.test(a) && whole.test(b)) {
      const [x, y] = [BigInt(a), BigInt(b)];
      return x < y ? -1 : x > y ? 1 : 0;
    }
    const [x, y] = [Number(a), Number(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return x - y;
  };
  const plain = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const orders = { number: numbers, time: plain, text: collator.compare, nested: collator.compare };

  const sort = (table, index, header) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    const compare = orders[header.dataset.kind];
    const keyed = Array.from(table.tBodies[0].rows, (row) => {
      const cell = row.cells[index];
      return { row, text: cell.classList.contains("null") ? null : cell.dataset.key ?? cell.textContent };
    });
    keyed.sort((a, b) => {
      if (a.text === null || b.text === null) return (a.text === null) - (b.text === null);
      const order = compare(a.text, b.text);
      return down ? -order : order;
    });
    for (const other of header.parentNode.cells) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.tBodies[0].append(...keyed.map((one) => one.row));
  };

  const filter = (table, words, count) => {
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    const total = table.tBodies[0].rows.length.toLocaleString("en");
    count.textContent = words.length ? `${shown.toLocaleString("en")} of ${total} rows` : "";
  };

  for (const section of document.querySelectorAll("section")) {
    const table = section.querySelector("table");
    if (!table) continue;
    Array.from(table.tHead.rows[0].cells).forEach((header, index) => {
      header.querySelector("button").addEventListener("click", () => sort(table, index, header));
    });
    const box = section.querySelector(".filter");
    if (!box) continue;
    box.hidden = false;
    const input = box.querySelector("input");
    const search = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      filter(table, words, box.querySelector("output"));
    };
    input.addEventListener("input", search);
    search();
  }
})();
