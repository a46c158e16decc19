/*
 * One job: a table of names and values, as headers and the facts of the timing tab stand in.
 */

import { el } from './dom.js';
import { withLocks } from './redaction.js';

/* `pairs` are [name, value]; a value is text, in which redacted parts are marked. */
export function pairsTable(pairs) {
  return el(
    'table',
    { class: 'pairs' },
    el(
      'tbody',
      {},
      pairs.map(([name, value]) =>
        el(
          'tr',
          {},
          el('th', { scope: 'row' }, name),
          el('td', {}, withLocks(value)),
        ),
      ),
    ),
  );
}
