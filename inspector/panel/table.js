/*
 * One job: the virtual table. Of however many rows, only those in view and a few either side are in the
 * page, and the chosen one; their elements are reused. Sizes are read by observers, never while
 * painting; painting happens once per animation frame.
 */

import { el, setStyle } from './dom.js';
import { GapElement } from './gap.js';
import { isLive } from './model.js';
import { layout } from './layout.js';
import { RowElement } from './row.js';

const AROUND = 10; /* rows beyond either edge of the view */
const SPARE = 20; /* elements kept for reuse */
const TICK_MS = 250; /* how often running durations are written */
const HEIGHT = 26; /* of a row, as in panel.css */
const NARROW_HEIGHT = 52;
const NARROW_REST = 134; /* what stands beside the path in a narrow row */
const HEADS = [
  ['time', 'Time'],
  ['status', 'Status'],
  ['method', 'Method'],
  ['path', 'Path'],
  ['caller', 'Caller'],
  ['duration', 'Duration'],
  ['size', 'Size'],
];
const SCALE = [
  ['1 ms', 0],
  ['10', 25],
  ['100', 50],
  ['1 s', 75],
];

function scaleHead() {
  const marks = SCALE.map(([word, at]) => {
    const mark = el('span', { class: at === 0 ? 'mark first' : 'mark' }, word);

    setStyle(mark, { left: `${at}%` });
    return mark;
  });

  return el(
    'span',
    { class: 'cell-bar', role: 'columnheader', 'aria-label': 'Timing' },
    el('span', { class: 'scale' }, marks),
    el('span', { class: 'scale-word' }, 'Timing'),
  );
}

export class Table {
  #rows = [];
  #elements = new Map(); /* seq -> RowElement */
  #spare = [];
  #index = new Map(); /* seq -> index, made when it is first asked for */
  #chosen = 0;
  #newSince = Infinity; /* rows above this seq come in with a fading ground */
  #pending = false;
  #scrollTop = 0;
  #viewWidth = 0;
  #viewHeight = 0;
  #pathWidth = 0;
  #charWidth = 7.23;
  #setting = { room: 80, millis: true };
  #compact = false;

  #onLoad;

  /*
   * `onChoose(seq)` is called for a click on a row, `onScroll()` whenever the view has moved, `onLoad(gap)`
   * for what a gap left out.
   */
  constructor({ onChoose, onScroll, onLoad }) {
    this.#onLoad = onLoad;
    this.pathHead = null;
    this.head = el('div', { class: 'row-head', role: 'row', 'aria-rowindex': 1 }, this.#heads());
    this.body = el('div', { class: 'rows', role: 'rowgroup' });
    this.tail = el('div', { class: 'tail' });
    this.element = el(
      'div',
      {
        class: 'grid',
        id: 'grid',
        role: 'grid',
        tabindex: '0',
        'aria-label': 'Exchanges, newest first',
      },
      el('div', { role: 'rowgroup' }, this.head),
      this.body,
      this.tail,
    );
    this.element.addEventListener(
      'scroll',
      () => {
        this.#scrollTop = this.element.scrollTop;
        this.#request();
        onScroll();
      },
      { passive: true },
    );
    this.body.addEventListener('click', (event) => {
      const seq = this.#seqAt(event.target);

      if (seq !== 0) {
        onChoose(seq);
      }
    });
    this.#observe();
    setInterval(() => this.#tick(), TICK_MS);
  }

  get rows() {
    return this.#rows;
  }

  get atTop() {
    return this.#scrollTop < 1;
  }

  /* How many rows a page of the keyboard moves by. */
  get pageRows() {
    return Math.max(1, Math.floor(this.#viewHeight / this.#height()) - 2);
  }

  /* `newSince`: rows with a higher seq are shown as having just come. */
  setRows(rows, newSince = Infinity) {
    this.#rows = rows;
    this.#index.clear();
    this.#newSince = newSince;
    this.element.setAttribute('aria-rowcount', rows.length + 1);
    this.#request();
  }

  setChosen(seq) {
    this.#chosen = seq;
    this.#request();
  }

  /* Beside an open detail: fewer columns, times to the second. */
  setCompact(compact) {
    this.#compact = compact;
    this.#measure();
  }

  /* What stands after the last row: a note, or why there is none. */
  setTail(...nodes) {
    this.tail.replaceChildren(...nodes);
  }

  indexOf(seq) {
    if (this.#index.size === 0) {
      this.#rows.forEach((row, i) => this.#index.set(row.seq, i));
    }
    return this.#index.get(seq) ?? -1;
  }

  scrollToTop() {
    this.element.scrollTop = 0;
  }

  /* Scrolls only where the row is not in view. */
  reveal(seq) {
    const index = this.indexOf(seq);
    const height = this.#height();
    const head = layout.narrow ? 0 : HEIGHT;
    const top = index * height;
    const room = this.element.clientHeight - head;

    if (index < 0) {
      return;
    }
    this.#makeRoom(); /* rows that were set and are not painted yet can be scrolled to */
    if (top < this.element.scrollTop) {
      this.element.scrollTop = top;
    } else if (top + height > this.element.scrollTop + room) {
      this.element.scrollTop = top + height - room;
    }
  }

  focus() {
    this.element.focus({ preventScroll: true });
  }

  /* The layout has changed: rows have another height, the path other room. */
  relayout() {
    this.#measure();
  }

  #heads() {
    return [
      ...HEADS.map(([name, word]) => {
        const head = el('span', { class: `cell-${name}`, role: 'columnheader' }, word);

        if (name === 'path') {
          this.pathHead = head;
        }
        return head;
      }),
      scaleHead(),
    ];
  }

  #height() {
    return layout.narrow ? NARROW_HEIGHT : HEIGHT;
  }

  #seqAt(target) {
    const element = target.closest('.row');

    return element ? Number(element.id.slice('row-'.length)) : 0;
  }

  /* Sizes come from observers, so that no paint has to ask for them. */
  #observe() {
    const probe = el('span', { class: 'path' }, '0'.repeat(100));
    const watch = (target, take) => {
      new ResizeObserver(([entry]) => {
        take(entry.contentRect);
        this.#measure();
      }).observe(target);
    };

    this.element.append(el('div', { class: 'probe', 'aria-hidden': 'true' }, probe));
    watch(this.element, ({ width, height }) => {
      this.#viewWidth = width;
      this.#viewHeight = height;
    });
    watch(this.pathHead, ({ width }) => {
      this.#pathWidth = width;
    });
    watch(probe, ({ width }) => {
      this.#charWidth = width > 0 ? width / probe.textContent.length : this.#charWidth;
    });
  }

  /* The path's column has one width in all rows: its head's, or what the narrow rows leave it. */
  #measure() {
    const width = layout.narrow ? this.#viewWidth - NARROW_REST : this.#pathWidth;
    const room = Math.max(8, Math.floor(width / this.#charWidth));
    const millis = layout.narrow || !this.#compact;

    if (room !== this.#setting.room || millis !== this.#setting.millis) {
      this.#setting = { room, millis };
    }
    this.#request();
  }

  #request() {
    if (!this.#pending) {
      this.#pending = true;
      requestAnimationFrame(() => {
        this.#pending = false;
        this.#paint();
      });
    }
  }

  #paint() {
    const height = this.#height();
    const first = Math.max(0, Math.floor(this.#scrollTop / height) - AROUND);
    const last = Math.min(
      this.#rows.length,
      Math.ceil((this.#scrollTop + this.#viewHeight) / height) + AROUND,
    );
    const wanted = new Map();

    for (let i = first; i < last; i += 1) {
      wanted.set(this.#rows[i].seq, i);
    }
    if (this.#chosen !== 0 && this.indexOf(this.#chosen) >= 0) {
      wanted.set(this.#chosen, this.indexOf(this.#chosen));
    }
    this.#release(wanted);
    this.#makeRoom();
    for (const [seq, index] of wanted) {
      const element = this.#elements.get(seq) ?? this.#take(this.#rows[index]);

      element.show(this.#rows[index], this.#setting);
      element.place(index, height);
      element.choose(seq === this.#chosen);
    }
    this.#newSince = Math.max(this.#newSince, this.#rows[0]?.seq ?? 0);
    this.#pointAtChosen();
  }

  #makeRoom() {
    setStyle(this.body, { height: `${this.#rows.length * this.#height()}px` });
  }

  #pointAtChosen() {
    if (this.#elements.has(this.#chosen)) {
      this.element.setAttribute('aria-activedescendant', `row-${this.#chosen}`);
    } else {
      this.element.removeAttribute('aria-activedescendant');
    }
  }

  /* Elements of rows that are no longer wanted become spare. */
  #release(wanted) {
    for (const [seq, element] of this.#elements) {
      if (!wanted.has(seq)) {
        this.#elements.delete(seq);
        if (element instanceof RowElement && this.#spare.length < SPARE) {
          element.element.hidden = true;
          element.element.removeAttribute('id');
          this.#spare.push(element);
        } else {
          element.element.remove();
        }
      }
    }
  }

  #take(row) {
    const { seq } = row;

    if (row.gap) {
      const line = new GapElement(row, this.#onLoad);

      this.body.append(line.element);
      this.#elements.set(seq, line);
      return line;
    }

    const element = this.#spare.pop() ?? new RowElement();

    element.row = null;
    element.element.hidden = false;
    element.element.classList.toggle('new', seq > this.#newSince);
    if (!element.element.isConnected) {
      this.body.append(element.element);
    }
    this.#elements.set(seq, element);
    return element;
  }

  #tick() {
    if (document.hidden) {
      return;
    }
    for (const element of this.#elements.values()) {
      if (isLive(element.row)) {
        element.showDuration();
      }
    }
  }
}
