/*
 * One job: the line that stands where the page was not told of exchanges, since they came faster than it
 * could read. It takes a row's place in the table, and does what a row does there.
 */

import { el, linkButton, setStyle } from './dom.js';
import { plural } from './format.js';

const rows = new WeakMap();

/* The same gap is the same row. Its seq is between those of its neighbours. */
export function gapRow(gap) {
  if (!rows.has(gap)) {
    rows.set(gap, { gap, seq: gap.before - 0.5, revision: 0, live: false, status: 0, state: 'gap' });
  }
  return rows.get(gap);
}

function words({ missed }) {
  return Number.isFinite(missed)
    ? `${plural(missed, 'exchange', 'exchanges')} came faster than this page could read`
    : 'Some exchanges came faster than this page could read';
}

export class GapElement {
  /* `onLoad(gap)` is called by its button. */
  constructor(row, onLoad) {
    this.row = row;
    this.top = -1;
    this.element = el(
      'div',
      { class: 'gap-line', role: 'row' },
      el(
        'span',
        { role: 'gridcell' },
        words(row.gap),
        ' ',
        linkButton('Load them', () => onLoad(row.gap), { tabindex: '-1' }),
      ),
    );
  }

  show() {}

  choose() {}

  place(index, height) {
    const top = index * height;

    this.element.setAttribute('aria-rowindex', index + 2);
    if (top !== this.top) {
      this.top = top;
      setStyle(this.element, { transform: `translateY(${top}px)` });
    }
  }
}
