/*
 * One job: JSON as lines of text, each value as it was sent, so that two can be compared.
 */

import { readJson } from './json_reader.js';
import { inSlices } from './slices.js';

const DEEPEST = 200;

function keyOf(node) {
  return node.key === null || node.key === undefined ? '' : `${node.key}: `;
}

function* linesOf(node, comma, depth) {
  const lead = '  '.repeat(depth);
  const end = comma ? ',' : '';

  if (!node.kids) {
    yield `${lead}${keyOf(node)}${node.raw}${end}`;
    return;
  }

  const [open, close] = node.kind === 'array' ? '[]' : '{}';

  if (node.kids.length === 0 || depth >= DEEPEST) {
    yield `${lead}${keyOf(node)}${open}${node.kids.length > 0 ? '…' : ''}${close}${end}`;
    return;
  }
  yield `${lead}${keyOf(node)}${open}`;
  for (let i = 0; i < node.kids.length; i += 1) {
    yield* linesOf(node.kids[i], i < node.kids.length - 1, depth + 1);
  }
  yield `${lead}${close}${end}`;
}

/* The text laid out, or as it is where it is no JSON. */
export async function jsonText(text, cut, signal) {
  const root = await inSlices(readJson(text, cut), signal);

  return root === null ? text : [...linesOf(root, false, 0)].join('\n');
}
