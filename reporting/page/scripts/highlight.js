// Colours of Python: which stretches of each line are keywords, strings and so on. Every pattern goes through the text
// once, whatever it holds, for programs are hostile.

const TOKENS = new RegExp(
  [
    "(?<comment>#[^\\n]*)",
    "(?<string>[rbuftRBUFT]{0,2}(?:'''(?:\\\\[^]?|[^\\\\])*?(?:'''|$)|\"\"\"(?:\\\\[^]?|[^\\\\])*?(?:\"\"\"|$)" +
      "|'(?:\\\\[^]?|[^\\\\'\\n])*'?|\"(?:\\\\[^]?|[^\\\\\"\\n])*\"?))",
    "(?<number>(?:0[xXoObB][\\da-fA-F_]+|\\d[\\d_]*(?:\\.[\\d_]*)?(?:[eE][-+]?\\d+)?)[jJ]?)",
    "(?<name>[\\p{ID_Start}_][\\p{ID_Continue}]*)",
  ].join("|"),
  "gu",
);
const KEYWORDS = new Set(
  ("and as assert async await break class continue def del elif else except finally for from global if import in is " +
    "lambda nonlocal not or pass raise return try while with yield True False None").split(" "),
);
const BUILT_IN = new Set(
  ("abs all any bool bytes callable chr dict dir divmod enumerate eval exec filter float format frozenset getattr " +
    "hasattr hash hex id input int isinstance issubclass iter len list map max min next object oct open ord pow print " +
    "range repr reversed round set setattr slice sorted str sum super tuple type vars zip").split(" "),
);

// The coloured stretches of each of `lines`: [start, end, kind], from left to right.
function coloursOf(lines) {
  const found = lines.map(() => []);
  const text = lines.join("\n");
  let [line, start, before] = [0, 0, ""]; // `start` is where `line` starts in the text
  for (const { 0: word, index, groups } of text.matchAll(TOKENS)) {
    const kind = kindOf(word, groups, before);
    before = word;
    if (!kind) continue;
    for (let from = index; from < index + word.length; ) {
      while (start + lines[line].length < from) [start, line] = [start + lines[line].length + 1, line + 1];
      const end = Math.min(index + word.length, start + lines[line].length);
      if (end > from) found[line].push([from - start, end - start, kind]);
      from = end + 1;
    }
  }
  return found;
}

function kindOf(word, groups, before) {
  if (groups.name === undefined) return groups.comment ? "comment" : groups.number ? "number" : "string";
  if (KEYWORDS.has(word)) return "keyword";
  if (before === "def" || before === "class") return "defined";
  return BUILT_IN.has(word) ? "built-in" : null;
}

// The first `longest` characters of a line in its colours.
function coloured(line, colours, longest) {
  const parts = document.createDocumentFragment();
  let done = 0;
  for (const [start, end, kind] of colours ?? []) {
    if (start >= longest) break;
    parts.append(seen(line.slice(done, start)));
    done = Math.min(end, longest);
    parts.append(make("span", `py-${kind}`, seen(line.slice(start, done))));
  }
  parts.append(seen(line.slice(done, longest)));
  return parts;
}
