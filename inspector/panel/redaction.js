/*
 * One job: show what was redacted as such. In its place stands a lock and the word; with tags, the hash
 * by which equal secrets look equal.
 */

import { el, icon } from './dom.js';

const MARK = /\[redacted(?::([0-9a-f]{1,32}))?\]/g;

function lock(tag) {
  return el(
    'span',
    { class: 'chip lock', title: 'Replaced before it is shown' },
    icon('lock'),
    tag ? `redacted ${tag}` : 'redacted',
  );
}

export function countRedacted(text) {
  return (text.match(MARK) ?? []).length;
}

/* The text as nodes, each redacted value a lock. */
export function withLocks(text) {
  const nodes = [];
  let at = 0;

  for (const match of text.matchAll(MARK)) {
    if (match.index > at) {
      nodes.push(text.slice(at, match.index));
    }
    nodes.push(lock(match[1]));
    at = match.index + match[0].length;
  }
  if (at < text.length) {
    nodes.push(text.slice(at));
  }
  return nodes;
}
