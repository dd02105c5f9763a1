// Two programs side by side, by their longest common subsequence of lines.

const MOST_CELLS = 4_000_000; // of the table of lengths: beyond, the middle counts as changed as a whole

// Pairs of places in `before` and `after`, null where one side has no line; `same` where the lines are equal.
function diffLines(before, after) {
  const equal = (i, j) => before[i].trimEnd() === after[j].trimEnd();
  let start = 0;
  while (start < before.length && start < after.length && equal(start, start)) start += 1;
  let [end, last] = [before.length, after.length];
  while (end > start && last > start && equal(end - 1, last - 1)) [end, last] = [end - 1, last - 1];
  const pairs = [];
  for (let i = 0; i < start; i += 1) pairs.push({ left: i, right: i, same: true });
  pairs.push(...diffMiddle(start, end, last, equal));
  for (let i = end; i < before.length; i += 1) pairs.push({ left: i, right: i - end + last, same: true });
  return pairs;
}

function diffMiddle(start, end, last, equal) {
  const common = (end - start) * (last - start) <= MOST_CELLS ? commonLines(start, end, last, equal) : [];
  const pairs = [];
  let [i, j] = [start, start];
  for (const [left, right] of [...common, [end, last]]) {
    while (i < left || j < right) {
      pairs.push({ left: i < left ? i : null, right: j < right ? j : null, same: false });
      [i, j] = [Math.min(i + 1, left), Math.min(j + 1, right)];
    }
    if (left < end || right < last) pairs.push({ left, right, same: true });
    [i, j] = [left + 1, right + 1];
  }
  return pairs;
}

function commonLines(start, end, last, equal) {
  const [rows, width] = [end - start, last - start + 1];
  const lengths = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i -= 1) {
    for (let j = width - 2; j >= 0; j -= 1) {
      lengths[i * width + j] = equal(start + i, start + j)
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const common = [];
  for (let i = 0, j = 0; i < rows && j < width - 1; ) {
    if (equal(start + i, start + j)) {
      common.push([start + i, start + j]);
      [i, j] = [i + 1, j + 1];
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return common;
}
