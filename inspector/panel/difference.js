/*
 * One job: what differs between two texts, line by line. No DOM. Bounded: what is too long, or differs
 * in too many places, is shown as taken away and given anew.
 */

const MOST_LINES = 4000;
const MOST_EDITS = 300;
const AROUND = 3; /* equal lines that stay on either side */
const FEW = 2; /* so many stand rather than a word about them */

/*
 * Myers' greedy walk: the edits by which `a` becomes `b`, as [sign, line]; null above the bound. Row d
 * of `rows` keeps how far each diagonal came with d edits.
 */
function edits(a, b) {
  const most = Math.min(MOST_EDITS, a.length + b.length);
  const rows = [];
  let reach = new Map([[1, 0]]);

  for (let d = 0; d <= most; d += 1) {
    rows.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach.get(k - 1) < reach.get(k + 1));
      let x = down ? reach.get(k + 1) : reach.get(k - 1) + 1;

      while (x < a.length && x - k < b.length && a[x] === b[x - k]) {
        x += 1;
      }
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) {
        return walkBack(a, b, rows, d, k);
      }
    }
  }
  return null;
}

function walkBack(a, b, rows, d, k) {
  const found = [];
  let x = a.length;
  let diagonal = k;

  for (let left = d; left > 0; left -= 1) {
    const reach = rows[left];
    const down =
      diagonal === -left || (diagonal !== left && reach.get(diagonal - 1) < reach.get(diagonal + 1));
    const before = down ? diagonal + 1 : diagonal - 1;
    const from = reach.get(before);

    while (x > (down ? from : from + 1)) {
      x -= 1;
      found.push([' ', a[x]]);
    }
    if (down) {
      found.push(['+', b[x - diagonal - 1]]);
    } else {
      x -= 1;
      found.push(['−', a[x]]);
    }
    diagonal = before;
  }
  while (x > 0) {
    x -= 1;
    found.push([' ', a[x]]);
  }
  return found.reverse();
}

/* Equal lines far from any change become one entry ['…', how many], where they are more than a few. */
function shortened(lines) {
  const near = new Array(lines.length).fill(false);
  const kept = [];
  let far = [];
  const leaveOut = () => {
    kept.push(...(far.length > FEW ? [['…', far.length]] : far));
    far = [];
  };

  lines.forEach(([sign], i) => {
    if (sign !== ' ') {
      near.fill(true, Math.max(0, i - AROUND), Math.min(lines.length, i + AROUND + 1));
    }
  });
  lines.forEach((line, i) => {
    if (near[i]) {
      leaveOut();
      kept.push(line);
    } else {
      far.push(line);
    }
  });
  leaveOut();
  return kept;
}

/*
 * [sign, line]: ' ' in both, '−' in the first alone, '+' in the second alone, '…' with a number of equal
 * lines that are left out. Empty where they are equal; null where they are too long to say.
 */
export function differenceOf(first, second) {
  if (first === second) {
    return [];
  }

  const a = first.split('\n');
  const b = second.split('\n');

  if (a.length > MOST_LINES || b.length > MOST_LINES) {
    return null;
  }

  const all = edits(a, b) ?? [...a.map((line) => ['−', line]), ...b.map((line) => ['+', line])];

  return shortened(all);
}
