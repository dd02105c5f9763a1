// Tables: sorted by a click on a column's head, with the columns of detail shown or hidden.

function setUpTables() {
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => sortBy(button.closest("th")));
  }
  for (const button of document.querySelectorAll("[data-details]")) {
    button.addEventListener("click", () => {
      const hidden = button.closest("article").querySelector("table").classList.toggle("compact");
      button.setAttribute("aria-pressed", String(!hidden));
    });
  }
}

// First up or down, as suits the column; then the other way; then as it was.
function sortBy(head) {
  const numeric = head.classList.contains("number");
  const order = numeric ? ["descending", "ascending", null] : ["ascending", "descending", null];
  const next = order[(order.indexOf(head.getAttribute("aria-sort")) + 1) % 3];
  const body = head.closest("table").tBodies[0];
  for (const [place, row] of [...body.rows].entries()) row.dataset.place ??= place;
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  if (next) head.setAttribute("aria-sort", next);
  const rows = [...body.rows];
  rows.sort((a, b) => (next && compareCells(a, b, head.cellIndex, numeric, next)) || a.dataset.place - b.dataset.place);
  body.append(...rows);
}

// Cells that hold nothing stand last either way.
function compareCells(a, b, column, numeric, order) {
  const [left, right] = [a, b].map((row) => row.cells[column].dataset.order);
  if (!left || !right) return Number(!left) - Number(!right);
  const difference = numeric ? left - right : left.localeCompare(right, "en", { numeric: true });
  return order === "ascending" ? difference : -difference;
}
