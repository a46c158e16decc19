/*
 * One job: JSON, folded. What is closed is laid out when it is opened, and long lists come in parts, so
 * that a large body costs no more than what is looked at.
 */

import { el, linkButton } from './dom.js';
import { count, plural } from './format.js';
import { withLocks } from './redaction.js';

const PART = 200; /* children laid out at once */
const DEEP = 2; /* levels that are open from the start */
const SMALL = 4; /* objects with fewer members are open one level deeper */

const sign = (text) => el('span', { class: 'json-sign' }, text);

function keyNodes(key) {
  return key === null ? [] : [el('span', { class: 'json-key' }, key), sign(': ')];
}

function scalarLine(node, comma) {
  const value = el(
    'span',
    { class: `json-${node.kind}` },
    node.kind === 'string' ? withLocks(node.raw) : node.raw,
  );

  /* A string that is nothing but a redacted value needs no quotes around its lock. */
  if (value.childNodes.length === 3 && node.raw.startsWith('"[redacted')) {
    value.firstChild.remove();
    value.lastChild.remove();
  }
  return el('div', { class: 'json-line' }, keyNodes(node.key), value, comma && sign(','));
}

function emptyLine(node, comma) {
  const signs = node.kind === 'array' ? '[]' : '{}';

  return el('div', { class: 'json-line' }, keyNodes(node.key), sign(signs), comma && sign(','));
}

function startsOpen(node, depth, folded) {
  if (folded) {
    return depth === 0;
  }
  return depth < DEEP || (depth === DEEP && node.kind === 'object' && node.kids.length < SMALL);
}

/* Puts the children from `from` on into `into`, a part at a time. */
function fill(into, node, depth, folded, from = 0) {
  const to = Math.min(node.kids.length, from + PART);

  for (let i = from; i < to; i += 1) {
    const comma = i < node.kids.length - 1;

    into.append(nodeElement(node.kids[i], comma, depth + 1, folded));
  }
  if (to < node.kids.length) {
    const more = linkButton(
      `Show ${count(Math.min(PART, node.kids.length - to))} more of ${count(node.kids.length)}`,
      () => {
        more.parentNode.remove();
        fill(into, node, depth, folded, to);
      },
    );

    into.append(el('div', { class: 'json-line' }, more));
  } else if (node.cut) {
    into.append(el('div', { class: 'json-line json-sign' }, '… cut here'));
  }
}

function containerElement(node, comma, depth, folded) {
  const array = node.kind === 'array';
  const [open, close] = array ? ['[', ']'] : ['{', '}'];
  const words = array
    ? plural(node.kids.length, 'item', 'items')
    : plural(node.kids.length, 'member', 'members');
  const end = `${node.cut ? '' : close}${comma ? ',' : ''}`;
  const kids = el('div', { class: 'json-kids' });
  const details = el(
    'details',
    {},
    el(
      'summary',
      {},
      keyNodes(node.key),
      sign(open),
      el('span', { class: 'json-fold' }, ` ${words} ${end}`),
    ),
    kids,
    el('div', { class: 'json-end json-sign' }, end),
  );
  const layOut = () => {
    if (details.open && kids.childNodes.length === 0) {
      fill(kids, node, depth, folded);
    }
  };

  details.open = startsOpen(node, depth, folded);
  layOut();
  details.addEventListener('toggle', layOut);
  return details;
}

function nodeElement(node, comma, depth, folded) {
  if (!node.kids) {
    return scalarLine(node, comma);
  }
  return node.kids.length === 0 && !node.cut
    ? emptyLine(node, comma)
    : containerElement(node, comma, depth, folded);
}

/* `root` as json_reader.js gives it; `folded` for a large body: only the first level is open. */
export function jsonTree(root, folded) {
  return el('div', { class: 'json' }, nodeElement(root, false, 0, folded));
}
