/*
 * One job: read JSON as it was sent. Unlike JSON.parse it keeps every digit of a number, the order of
 * members, doubled names and escapes, and it reads as much as there is of a text that was cut. It has no
 * recursion, so depth costs nothing, and it yields now and then, see slices.js.
 *
 * A node is {kind: 'object' | 'array', key, kids, cut} or {kind: 'string' | 'number' | 'literal', key,
 * raw}; `key` is the member's name as written, quotes included, or null.
 */

const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
const YIELD_EVERY = 500;

/* The text is used up: of one that was cut, no error. */
class End extends Error {}
class Malformed extends Error {}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  skipSpace() {
    SPACE.lastIndex = this.at;
    SPACE.exec(this.text);
    this.at = SPACE.lastIndex;
  }

  /* The next sign that is no space; it is not taken. */
  peek() {
    this.skipSpace();
    if (this.at >= this.text.length) {
      throw new End();
    }
    return this.text[this.at];
  }

  take(sign) {
    if (this.peek() !== sign) {
      throw new Malformed();
    }
    this.at += 1;
  }

  /* A string as written. */
  string() {
    const from = this.at;
    let quote = from;

    if (this.peek() !== '"') {
      throw new Malformed();
    }
    for (;;) {
      let slashes = 0;

      quote = this.text.indexOf('"', quote + 1);
      if (quote < 0) {
        throw new End();
      }
      while (this.text[quote - 1 - slashes] === '\\') {
        slashes += 1;
      }
      if (slashes % 2 === 0) {
        this.at = quote + 1;
        return this.text.slice(from, this.at);
      }
    }
  }

  scalar() {
    if (this.peek() === '"') {
      return { kind: 'string', raw: this.string() };
    }
    SCALAR.lastIndex = this.at;

    const match = SCALAR.exec(this.text);

    if (match === null) {
      throw this.text.length - this.at < 'false'.length ? new End() : new Malformed();
    }
    this.at += match[0].length;
    return { kind: /[tfn]/.test(match[0][0]) ? 'literal' : 'number', raw: match[0] };
  }
}

function* build(reader, root) {
  const open = [];
  let parent = null;
  let steps = 0;

  do {
    let key = null;

    if (parent !== null) {
      const close = parent.kind === 'object' ? '}' : ']';

      if (reader.peek() === close) {
        reader.at += 1;
        parent.cut = false;
        parent = open.pop();
        continue;
      }
      if (parent.kids.length > 0) {
        reader.take(',');
        reader.skipSpace();
      }
      if (parent.kind === 'object') {
        key = reader.peek() === '"' ? reader.string() : null;
        if (key === null) {
          throw new Malformed();
        }
        reader.take(':');
      }
    }

    const sign = reader.peek();
    const into = parent === null ? root : parent.kids;

    if (sign === '{' || sign === '[') {
      const node = { kind: sign === '{' ? 'object' : 'array', key, kids: [], cut: true };

      reader.at += 1;
      into.push(node);
      open.push(parent);
      parent = node;
    } else {
      into.push({ key, ...reader.scalar() });
    }
    steps += 1;
    if (steps % YIELD_EVERY === 0) {
      yield;
    }
  } while (parent !== null);

  reader.skipSpace();
  if (reader.at < reader.text.length) {
    throw new Malformed();
  }
}

/*
 * A generator; its result is the root node, or null where the text is not JSON. With `cut` the text may
 * end anywhere: what was still open then says so.
 */
export function* readJson(text, cut) {
  const root = [];

  try {
    yield* build(new Reader(text), root);
  } catch (error) {
    if (!(error instanceof Malformed) && !(error instanceof End)) {
      throw error;
    }
    if (error instanceof Malformed || !cut) {
      return null;
    }
  }
  return root[0] ?? null;
}
