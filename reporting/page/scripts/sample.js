// One sample: what came of it and why, its program beside the solution that was asked for, its tests.

const MOST_LINES = 3000;
const MOST_CHARACTERS = 2000; // of a line
const TESTS_AT_FIRST = 40;
const [PASSED, NOT_RUN] = [-1, -2];

class SampleView {
  constructor(verdicts, changes) {
    Object.assign(this, { verdicts, changes, dialog: byId("sample"), wanted: null });
    this.bodies = storeOf("data-bodies");
    this.problems = storeOf("data-problems");
  }

  // Shows the verdict in `row`; what was asked for last wins.
  async show(row, place) {
    this.wanted = row;
    const value = (name) => valueOf(this.verdicts, name, row);
    byId("sample-title").replaceChildren(seen(shorten(value("task"), 300)));
    byId("sample-place").textContent = place;
    if (!this.dialog.open) this.dialog.showModal();
    const task = this.verdicts.columns.task.codes[row];
    const [body, problem] = await Promise.all([this.bodies(this.verdicts.numbers[row]), this.problems(task)]);
    if (this.wanted !== row) return;
    byId("sample-body").replaceChildren(...this.parts(row, body, problem));
    this.dialog.querySelector(".sheet").scrollTop = 0;
    byId("sample-title").focus({ preventScroll: true });
  }

  *parts(row, body, problem) {
    yield this.verdict(row, body);
    yield this.programs(row, body, problem);
    if (body.results && body.results.length === problem.tests.length) yield this.tests(body, problem);
    if (body.output) yield section("Printed", codeBlock(body.output));
    if (body.raw) yield folded("The whole answer", codeBlock(body.raw));
    yield folded("The prompt", codeBlock(problem.prompt, true));
    yield folded("How it was made, and how it ran", this.circumstances(row, body));
  }

  verdict(row, body) {
    const value = (name) => valueOf(this.verdicts, name, row);
    const { words } = this.verdicts;
    const facts = [
      ["Outcome", chip("outcome", value("outcome")), `${sentence(words.outcome[value("outcome")])} ${body.passed} of ${body.total} tests passed.`],
      ["Label", chip("label", value("label")), sentence(body.label_because)],
      ["Compiles", body.compiles ? "yes" : "no", sentence(body.compiles_because)],
    ];
    const called = value("called");
    if (called !== null) facts.push(["New API", inWords(called), sentence(`it ${words.called[called]}`)]);
    if (value("failure") !== null) facts.push(["Failure", inWords(value("failure")), sentence(words.failure[value("failure")])]);
    if (body.error) facts.push(["Error", body.error.type, errorText(body.error)]);
    for (const [title, calls] of [["Counted calls", body.calls], ["Refused calls", body.refused_calls]]) {
      if (calls) facts.push([title, "", Object.entries(calls).map(([name, count]) => `${name}: ${count}`).join(", ")]);
    }
    if (body.bypass) facts.push(["Bypass", "", body.bypass.join(", ")]);
    if (body.extraction) facts.push(["Extraction", inWords(body.extraction.kind ?? ""), extractionOf(body.extraction)]);
    if (body.disagreement) facts.push(["Disagreement", "", body.disagreement]);
    if (body.opaque) facts.push(["Opaque", "", "The tests exchanged objects that stayed in the program's process."]);
    facts.push(["World", "", this.world(value("active"))]);
    return make("dl", "facts", ...facts.flatMap(([name, head, text]) => fact(name, head, text)));
  }

  world(active) {
    if (!active.length) return "No change is active.";
    const shown = active.slice(0, 8).map((id) => this.change(id));
    if (active.length > 8) shown.push(make("li", "", `and ${counted(active.length - 8)} more changes`));
    return make("ul", "", ...shown);
  }

  change(id) {
    const change = this.changes[id];
    if (!change) return make("li", "", seen(id));
    const doc = change.doc ? make("small", "", seen(change.doc)) : null;
    return make("li", "", code(change.deprecated), " is gone; instead ", code(change.signature), doc);
  }

  programs(row, body, problem) {
    if (body.program === undefined) return section("Program", make("p", "", "The verdict does not carry it."));
    const others = this.solutions(row, problem);
    const panels = make("div", "programs");
    const fill = (name) => panels.replaceChildren(...compare(body, problem, this.changes[problem.change], others.get(name), name));
    const choice = make("select", "", ...[...others.keys()].map((name) => make("option", "", name)));
    choice.addEventListener("change", () => fill(choice.value));
    choice.setAttribute("aria-label", "Compare with");
    fill(choice.value);
    const head = others.size > 1 ? make("label", "against", "Beside it ", choice) : null;
    return section("Program", head, panels);
  }

  // The solutions to compare with by their names; the one that the world asks for first.
  solutions(row, problem) {
    const active = valueOf(this.verdicts, "active", row);
    const own = problem.change !== null && active.includes(problem.change);
    const named = [
      ["updated solution", problem.updated_solution],
      ["solution with all changes", problem.fully_updated_solution],
      ["solution before the change", problem.solution],
    ].filter(([, text]) => text !== undefined);
    if (named.length === 1) return new Map([["reference solution", problem.solution]]);
    return new Map(own ? named : named.reverse());
  }

  tests(body, problem) {
    const list = make("ol", "tests");
    const build = (from, to) => problem.tests.slice(from, to).map((test, i) => buildTest(test, body.results[from + i], body.errors));
    list.append(...build(0, TESTS_AT_FIRST));
    const rest = problem.tests.length - TESTS_AT_FIRST;
    if (rest <= 0) return section("Tests", list);
    const all = make("button", "quiet", `Show ${counted(rest)} more tests`);
    all.type = "button";
    all.addEventListener("click", () => {
      list.append(...build(TESTS_AT_FIRST, problem.tests.length));
      all.remove();
    });
    return section("Tests", list, all);
  }

  circumstances(row, body) {
    const rows = [];
    for (const name of ["model", "method", "regime", "step", "index"]) {
      const value = valueOf(this.verdicts, name, row);
      if (value !== null) rows.push([name === "index" ? "sample number" : name, String(value)]);
    }
    const edited = valueOf(this.verdicts, "edited", row);
    if (edited.length) rows.push(["edited", shorten(edited.join(", "), 2000)]);
    for (const [name, value] of Object.entries(body.facts)) rows.push([inWords(name), String(value)]);
    for (const [name, value] of Object.entries(body.limits ?? {})) rows.push([`limit: ${inWords(name)}`, String(value)]);
    return make("dl", "plain", ...rows.flatMap(([name, text]) => [make("dt", "", seen(name)), make("dd", "", seen(text))]));
  }
}

const section = (title, ...children) => make("section", "block", make("h3", "", title), ...children);
const folded = (title, child) => make("details", "block", make("summary", "", title), child);
const code = (text) => make("code", "", seen(text));
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function fact(name, head, text) {
  const body = typeof text === "string" ? seen(text) : text;
  const lead = typeof head === "string" ? (head ? make("b", "", seen(shorten(head, 200))) : null) : head;
  return [make("dt", "", name), make("dd", "", lead, lead ? " " : null, body)];
}

function chip(name, value) {
  return make("b", "chip", dotFor(name, value), value === null ? "none" : inWords(value));
}

function extractionOf({ fences, taken, removed, cut }) {
  const parts = [];
  if (fences) parts.push(`${counted(fences)} ${fences === 1 ? "fence" : "fences"} in the answer`);
  if (taken && taken !== "[]") parts.push(`taken: ${taken}`);
  if (removed && removed !== "[]") parts.push(`removed: ${removed}`);
  if (cut) parts.push(`${counted(cut)} characters cut from the end`);
  return parts.join("; ");
}

function errorText(error) {
  const place = error.line ? `line ${error.line}` : "";
  const where = [error.kind ? inWords(error.kind) : "", place].filter((part) => part).join(", ");
  return where ? `${error.message} (${where})` : error.message;
}

function codeBlock(text, python = false) {
  const lines = linesOf(text).slice(0, MOST_LINES);
  const colours = python ? coloursOf(lines) : [];
  const block = make("div", "code", ...lines.map((line, i) => codeRow("", line, "", colours[i])));
  return scrollable(block, "Text");
}

function scrollable(block, name) {
  block.tabIndex = 0;
  block.setAttribute("role", "region");
  block.setAttribute("aria-label", name);
  return make("div", "frame", block);
}

function codeRow(number, line, className, colours) {
  const rest = line.length - MOST_CHARACTERS;
  const more = rest > 0 ? make("span", "unseen", `${counted(rest)} more characters`) : null;
  return make("div", `row ${className}`, make("span", "number", number), make("span", "line", coloured(line, colours, MOST_CHARACTERS), more));
}

const gap = () => make("div", "row gap");

// The program with its marks, and beside it the other one, equal lines at equal heights.
function compare(body, problem, change, other, name) {
  const [left, right] = [linesOf(body.program), linesOf(other ?? "")];
  const [own, others] = [coloursOf(left), coloursOf(right)];
  const marks = marksOf(body, change, left.length);
  const [mine, theirs] = [make("div", "code"), make("div", "code")];
  const pairs = other === undefined ? left.map((_line, i) => ({ left: i, right: null, same: true })) : diffLines(left, right);
  for (const pair of pairs.slice(0, MOST_LINES)) {
    const remarks = marks.get(pair.left === null ? -1 : pair.left + 1) ?? [];
    const tone = remarks.length ? ` marked ${remarks[0].tone}` : "";
    mine.append(pair.left === null ? gap() : codeRow(pair.left + 1, left[pair.left], (pair.same ? "" : "removed") + tone, own[pair.left]));
    theirs.append(pair.right === null ? gap() : codeRow(pair.right + 1, right[pair.right], pair.same ? "" : "added", others[pair.right]));
    for (const remark of remarks) {
      mine.append(make("div", `row remark ${remark.tone}`, make("span", "number"), make("span", "line", seen(remark.text))));
      theirs.append(gap());
    }
  }
  const cut = cutsOf(body, pairs.length);
  const panels = [panel("The sample's program", mine, cut)];
  if (other !== undefined) panels.push(panel(`The ${name}`, theirs, ""));
  return panels;
}

function panel(title, block, note) {
  return make("div", "panel", make("h4", "", title), scrollable(block, title), note ? make("p", "cut", note) : null);
}

function cutsOf(body, lines) {
  const cuts = [];
  if (body.characters) cuts.push(`The program is cut: it has ${counted(body.characters)} characters.`);
  if (lines > MOST_LINES) cuts.push(`${counted(lines - MOST_LINES)} more lines are not shown.`);
  return cuts.join(" ");
}

// What there is to say of lines: uses of the two APIs, the first error, errors in tests. Line -> [{text, tone}].
function marksOf(body, change, last) {
  const marks = new Map();
  const add = (line, text, tone) => {
    const there = Math.min(line, last);
    if (!marks.has(there)) marks.set(there, []);
    const at = marks.get(there);
    const whole = line > last ? `line ${line}, past the end: ${text}` : text;
    const remark = shorten(whole.replace(/\s+/gu, " "), 500);
    if (!at.some((mark) => mark.text === remark)) at.push({ text: remark, tone });
  };
  for (const [name, kind, line] of body.uses ?? []) {
    const part = name === change?.deprecated ? "deprecated" : name === change?.replacement ? "replacement" : "other";
    add(line, part === "other" ? `${name}: ${kind}` : `${part} ${name}: ${kind}`, part);
  }
  const errors = [body.error, ...(body.errors ?? [])].filter((error) => error?.line);
  for (const error of errors) add(error.line, `${error.type}: ${error.message}`, "error");
  return marks;
}

function buildTest([setup, text], result, errors) {
  const state = result === PASSED ? "passed" : result === NOT_RUN ? "did not run" : "failed";
  const rows = [setup, text].filter((part) => part).flatMap(linesOf).slice(0, 60);
  const colours = coloursOf(rows);
  const block = scrollable(make("div", "code bare", ...rows.map((line, i) => codeRow("", line, "", colours[i]))), "Test");
  const error = errors?.[result];
  const why = error ? make("p", "error", make("b", "", seen(error.type)), " ", seen(errorText(error))) : null;
  return make("li", state.replaceAll(" ", "-"), make("span", "state", state), make("div", "", block, why));
}
