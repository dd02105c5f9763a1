// The choices beside the list: one group of boxes for each column that tells verdicts apart.

const OPEN_AT_FIRST = new Set(["method", "subset", "outcome", "label"]);
const NOT_GIVEN = {
  change: "none: the problem has no change",
  label: "no label",
  called: "not known",
  took: "not recorded",
  failure: "none: passed, or not judged",
  detail: "none",
  extraction: "the sample does not say",
};

function nameOf(verdicts, name, value) {
  if (value === null) return NOT_GIVEN[name] ?? "not given";
  if (name === "method" && value === "none") return "none: unedited";
  if (name === "method" && ["docs", "docs-all", "docs-change"].includes(value)) return `${value}: told by the prompt`;
  if (name === "world") return verdicts.words.world[value];
  if (["outcome", "label", "called", "detail", "failure", "extraction", "subset"].includes(name)) return inWords(value);
  return String(value);
}

function describe(verdicts, name, value) {
  const meaning = name === "detail" ? null : verdicts.words[name]?.[value];
  return meaning ?? nameOf(verdicts, name, value);
}

function buildFacets(filter, onChange) {
  for (const facet of filter.facets) byId("facets").append(buildFacet(filter, facet, onChange));
}

function buildFacet(filter, facet, onChange) {
  const { values } = filter.column(facet);
  facet.boxes = new Map();
  const choices = make("div", "options");
  choices.setAttribute("role", "group");
  choices.setAttribute("aria-label", facet.title);
  for (const [code, value] of values.entries()) {
    if (facet.total[code]) choices.append(buildChoice(filter.verdicts, facet, code, value, onChange));
  }
  facet.mark = make("span", "chosen");
  const group = make("details", "facet", make("summary", "", facet.title, facet.mark), choices);
  group.open = OPEN_AT_FIRST.has(facet.name) || facet.chosen.size > 0;
  return group;
}

function buildChoice(verdicts, facet, code, value, onChange) {
  const box = make("input");
  box.type = "checkbox";
  box.addEventListener("change", () => {
    if (box.checked) facet.chosen.add(code);
    else facet.chosen.delete(code);
    onChange();
  });
  const count = make("span", "n");
  const name = make("span", "name", seen(shorten(nameOf(verdicts, facet.name, value), 200)));
  const label = make("label", "", box, dotFor(facet.name, value), name, count);
  label.title = seenText(shorten(describe(verdicts, facet.name, value), 300));
  facet.boxes.set(code, { box, count, label });
  return label;
}

// Colour says only what the word beside it says too.
function dotFor(name, value) {
  if (name !== "outcome" && name !== "label") return null;
  const dot = make("i", "dot");
  dot.dataset.of = value ?? "none";
  return dot;
}

function showFacets(filter) {
  for (const facet of filter.facets) {
    facet.mark.textContent = facet.chosen.size ? String(facet.chosen.size) : "";
    for (const [code, { box, count, label }] of facet.boxes) {
      box.checked = facet.chosen.has(code);
      count.textContent = counted(facet.counts[code]);
      label.classList.toggle("empty", !facet.counts[code] && !box.checked);
    }
  }
}
