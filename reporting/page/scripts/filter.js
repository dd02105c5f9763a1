// Filters over columns of codes. Each is a bit; a row keeps the bits of the filters that it does not pass.

const FACETS = [
  ["method", "Method"],
  ["model", "Model"],
  ["regime", "Regime"],
  ["step", "Step"],
  ["world", "World"],
  ["subset", "Subset"],
  ["change", "API change"],
  ["outcome", "Outcome"],
  ["label", "Label"],
  ["called", "New API called"],
  ["detail", "Finer label"],
  ["failure", "Failure"],
  ["extraction", "Extraction"],
  ["took", "The edit took"],
  ["style", "Style"],
  ["requests", "Requests"],
  ["hparams_sha256", "Hyperparameters"],
  ["subject", "Subject"],
  ["target", "Target"],
];

class Filter {
  constructor(verdicts) {
    this.verdicts = verdicts;
    this.query = "";
    this.fails = new Uint32Array(verdicts.rows);
    this.facets = FACETS.map(([name, title], place) => ({ name, title, bit: 2 << place, chosen: new Set() }));
    for (const facet of this.facets) facet.total = this.count(facet);
    this.facets = this.facets.filter((facet) => facet.total.filter((count) => count).length > 1);
    this.apply();
  }

  column(facet) {
    return this.verdicts.columns[facet.name];
  }

  apply() {
    this.fails.fill(0);
    for (const facet of this.facets) {
      if (facet.chosen.size) this.strike(this.column(facet), (_value, code) => facet.chosen.has(code), facet.bit);
    }
    const part = this.query.toLowerCase();
    if (part) this.strike(this.verdicts.columns.task, (value) => String(value).toLowerCase().includes(part), 1);
    this.matches = this.collect();
    for (const facet of this.facets) facet.counts = this.count(facet);
  }

  strike({ values, codes }, passes, bit) {
    const bits = Uint32Array.from(values, (value, code) => (passes(value, code) ? 0 : bit));
    for (let row = 0; row < codes.length; row += 1) this.fails[row] |= bits[codes[row]];
  }

  // The rows that pass; of two rows of one verdict the first.
  collect() {
    const { fails, verdicts } = this;
    const more = verdicts.columns.more.codes;
    const found = new Uint32Array(verdicts.rows);
    let size = 0;
    for (let row = 0; row < verdicts.rows; row += 1) {
      if (fails[row] || (row > 0 && !more[row] && !fails[row - 1])) continue;
      found[size] = row;
      size += 1;
    }
    return found.subarray(0, size);
  }

  // How many verdicts each choice of a facet would leave, the other filters being as they are.
  count(facet) {
    const { codes, values } = this.column(facet);
    const more = this.verdicts.columns.more.codes;
    const { fails } = this;
    const others = ~facet.bit;
    const counts = new Array(values.length).fill(0);
    for (let row = 0; row < codes.length; row += 1) {
      if (fails[row] & others) continue;
      const twice = row > 0 && !more[row] && codes[row - 1] === codes[row] && !(fails[row - 1] & others);
      if (!twice) counts[codes[row]] += 1;
    }
    return counts;
  }

  clear() {
    this.query = "";
    for (const facet of this.facets) facet.chosen.clear();
  }

  get active() {
    return this.facets.reduce((sum, facet) => sum + facet.chosen.size, 0) + (this.query ? 1 : 0);
  }
}

// In an address a value stands as it is; what is not given stands as "~".
const asParameter = (value) => (value === null ? "~" : String(value).replace(/^~/u, "~~"));

function writeAddress(filter, page, sample) {
  const parameters = new URLSearchParams();
  for (const facet of filter.facets) {
    const { values } = filter.column(facet);
    for (const code of facet.chosen) parameters.append(facet.name, asParameter(values[code]));
  }
  if (filter.query) parameters.set("task", filter.query);
  if (page > 0) parameters.set("page", page + 1);
  if (sample !== null) parameters.set("sample", sample);
  const text = parameters.toString();
  history.replaceState(null, "", text ? `#samples?${text}` : "#samples");
}

function readAddress(filter) {
  const [section, text] = location.hash.split("?", 2);
  if (section !== "#samples" || text === undefined) return null;
  const parameters = new URLSearchParams(text);
  filter.query = parameters.get("task") ?? "";
  for (const facet of filter.facets) {
    const wanted = new Set(parameters.getAll(facet.name));
    const { values } = filter.column(facet);
    facet.chosen = new Set(values.keys().filter((code) => wanted.has(asParameter(values[code]))));
  }
  const sample = parameters.get("sample");
  return { page: Math.max(0, (Number(parameters.get("page")) || 1) - 1), sample: sample === null ? null : Number(sample) };
}
