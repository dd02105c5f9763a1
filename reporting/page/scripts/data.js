// Data blocks: base64 of zlib. The list comes first; problems and bodies are read when they are looked at.

function fromBase64(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function unpack(block) {
  const packed = new Blob([fromBase64(block.textContent)]).stream();
  return new Uint8Array(await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
}

async function unpackText(block) {
  return new TextDecoder().decode(await unpack(block));
}

const unpackJson = async (block) => JSON.parse(await unpackText(block));

// The list of all verdicts: for each column its values, and for each row the place of its value among them.
async function loadVerdicts() {
  const { buffer } = await unpack(byId("data-index"));
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  setInvisible(head.invisible);
  const arrays = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
  const columns = {};
  for (const [name, { values, width, start }] of Object.entries(head.columns)) {
    columns[name] = { values, codes: new arrays[width](buffer, 4 + length + start, head.rows) };
  }
  return { rows: head.rows, columns, words: head.words, numbers: numberVerdicts(columns.more.codes) };
}

// A verdict that stands in two settings has two rows, one below the other.
function numberVerdicts(more) {
  const numbers = new Uint32Array(more.length);
  for (let row = 1; row < more.length; row += 1) numbers[row] = numbers[row - 1] + more[row];
  return numbers;
}

function valueOf(verdicts, name, row) {
  const { values, codes } = verdicts.columns[name];
  return values[codes[row]];
}

const whenParsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve, { once: true });
  else resolve();
});

// Things that stand in blocks of several, by number. The last few blocks are kept unpacked.
function storeOf(attribute) {
  const unpacked = new Map();
  let blocks = null;
  return async function get(number) {
    await whenParsed;
    blocks ??= [...document.querySelectorAll(`script[${attribute}]`)].map((block) => [Number(block.dataset.first), block]);
    const [first, block] = blocks.findLast(([start]) => start <= number);
    if (!unpacked.has(first)) {
      if (unpacked.size >= 4) unpacked.delete(unpacked.keys().next().value);
      unpacked.set(first, unpackJson(block));
    }
    return (await unpacked.get(first))[number - first];
  };
}
