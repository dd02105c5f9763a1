// Elements and text. What comes from files is only ever put into text nodes and attributes that cannot hold code.

let invisible = /(?!)/gu; // what is shown as a mark; the data says which characters those are

function setInvisible(ranges) {
  const escape = (point) => `\\u{${point.toString(16)}}`;
  const classes = ranges.map(([first, last]) => `${escape(first)}-${escape(last)}`).join("");
  invisible = new RegExp(`[${classes}]`, "gu");
}

const byId = (id) => document.getElementById(id);

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function codePoint(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

// The text with a visible mark for each character that would be invisible, or reorder what stands around it.
function seen(text) {
  const parts = document.createDocumentFragment();
  let start = 0;
  for (const match of text.matchAll(invisible)) {
    parts.append(text.slice(start, match.index), make("span", "unseen", codePoint(match[0])));
    start = match.index + match[0].length;
  }
  parts.append(text.slice(start));
  return parts;
}

// The same without elements, for attributes and for text that is cut.
function seenText(text) {
  return text.replace(invisible, (character) => `[${codePoint(character)}]`);
}

function shorten(text, longest) {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}\u2026`;
}

const linesOf = (program) => program.replace(/\r?\n$/u, "").split(/\r\n|\r|\n/u);
const inWords = (name) => name.replaceAll("_", " ");
const counted = (number) => number.toLocaleString("en-US");
