// The list of samples, a page of it at a time, and the keys that move in it.

const PAGE = 50;
const WORLDS = {
  own: "own change",
  none: "no change",
  edited: "edited changes",
  all: "all changes",
  other: "other changes",
};

class List {
  constructor(filter, onOpen, onMove) {
    Object.assign(this, { filter, onOpen, onMove, page: 0, at: 0, element: byId("list") });
    this.telling = ["model", "method", "regime", "step", "world"].filter((name) => filter.facets.some((facet) => facet.name === name));
    byId("list-head").append(...["Task", this.telling.length ? "Setting" : "", "No.", "Outcome", "Label"].map((head) => make("span", "", head)));
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("click", (event) => this.onClick(event));
    byId("earlier").addEventListener("click", () => this.turn(-1));
    byId("later").addEventListener("click", () => this.turn(1));
  }

  get pages() {
    return Math.max(1, Math.ceil(this.filter.matches.length / PAGE));
  }

  show(page = 0, at = page * PAGE) {
    this.page = Math.min(page, this.pages - 1);
    this.at = Math.min(at, Math.max(0, this.filter.matches.length - 1));
    const start = this.page * PAGE;
    const rows = this.filter.matches.subarray(start, start + PAGE);
    this.element.replaceChildren(...Array.from(rows, (row, place) => this.buildRow(row, start + place)));
    if (!rows.length) this.element.append(make("p", "nothing", "No sample passes these filters."));
    this.showPlace(rows.length);
    this.mark();
  }

  showPlace(shown) {
    const start = this.page * PAGE;
    const total = this.filter.matches.length;
    byId("count").textContent = total === 1 ? "1 sample" : `${counted(total)} samples`;
    byId("page").textContent = shown ? `${counted(start + 1)}\u2013${counted(start + shown)} of ${counted(total)}` : "";
    byId("earlier").disabled = this.page === 0;
    byId("later").disabled = this.page >= this.pages - 1;
  }

  buildRow(row, place) {
    const { verdicts } = this.filter;
    const value = (name) => valueOf(verdicts, name, row);
    const cell = (className, text) => make("span", className, seen(shorten(text, 200)));
    const option = make(
      "div",
      "sample",
      cell("task", value("task")),
      cell("setting", this.setting(row)),
      cell("no", value("index") === null ? "" : `#${value("index")}`),
      make("span", "outcome", dotFor("outcome", value("outcome")), nameOf(verdicts, "outcome", value("outcome"))),
      this.buildLabel(value("label"), value("detail")),
    );
    option.id = `at-${place}`;
    option.setAttribute("role", "option");
    option.dataset.place = place;
    return option;
  }

  buildLabel(label, detail) {
    if (label === null) return make("span", "label");
    const finer = detail === null ? null : make("small", "", seen(inWords(shorten(detail, 60))));
    return make("span", "label", dotFor("label", label), make("span", "", inWords(label), finer));
  }

  setting(row) {
    const instant = valueOf(this.filter.verdicts, "regime", row) === "instant"; // where each step is the first
    const names = this.telling.filter((name) => name !== "step" || !instant);
    const parts = names.map((name) => this.tell(name, valueOf(this.filter.verdicts, name, row)));
    return parts.filter((text) => text).join(" \u00b7 ");
  }

  tell(name, value) {
    if (value === null || (name === "regime" && value === "none")) return "";
    if (name === "method" && value === "none") return "unedited";
    if (name === "step") return value ? `step ${value}` : "";
    return name === "world" ? WORLDS[value] : shorten(value, 60);
  }

  mark() {
    for (const option of this.element.querySelectorAll("[role=option]")) {
      option.setAttribute("aria-selected", String(Number(option.dataset.place) === this.at));
    }
    const current = byId(`at-${this.at}`);
    if (current) this.element.setAttribute("aria-activedescendant", current.id);
    else this.element.removeAttribute("aria-activedescendant");
    return current;
  }

  moveTo(place) {
    this.place(place);
    this.onMove();
  }

  // Makes the sample at `place` the current one.
  place(place) {
    const next = Math.max(0, Math.min(place, this.filter.matches.length - 1));
    if (Math.floor(next / PAGE) === this.page) this.at = next;
    else this.show(Math.floor(next / PAGE), next);
    this.mark()?.scrollIntoView({ block: "nearest" });
  }

  turn(by) {
    this.show(this.page + by);
    byId("samples-title").scrollIntoView({ block: "start" });
    this.onMove();
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: PAGE, PageUp: -PAGE };
    if (event.key in steps) this.moveTo(this.at + steps[event.key]);
    else if (event.key === "Home") this.moveTo(0);
    else if (event.key === "End") this.moveTo(this.filter.matches.length - 1);
    else if (event.key === "Enter" && this.filter.matches.length) this.onOpen(this.at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  onClick(event) {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    this.at = Number(option.dataset.place);
    this.mark();
    this.onOpen(this.at);
  }
}
