/*
 * One job: the view that compares: two marks, four figures, a table of what changed by route, and the
 * same as Markdown.
 */

import { ApiError, compareMarks } from './api.js';
import { writeAddress } from './address.js';
import { button, el } from './dom.js';
import { clock, duration } from './format.js';
import {
  changeWords,
  errorShare,
  perRequest,
  rate,
  toComparison,
  toMarkdown,
} from './comparison.js';
import { FiguresRow } from './figures_row.js';
import { cell, emptyPage, headCell, page, pageHead, routeLabel, skeletonRows } from './page.js';

const NAME = 'compare';
const TITLE = 'compare-title';
const RENEW_MS = 5000; /* while one side is now */
const NOW = '';

/* How long the period is that a mark ends. */
function minutes(seconds) {
  return Number.isFinite(seconds) && seconds >= 30 ? `${Math.round(seconds / 60)} min` : '';
}

function changeCells(before, after, label, show) {
  const { word, tone, change } = changeWords(before, after, show);
  const bar = el('i', { class: change > 0 ? 'more-of-it' : null });
  const width = `${Math.min(50, Math.abs(change) / 2)}%`;

  bar.style.width = width;
  bar.style[change > 0 ? 'left' : 'right'] = '50%';
  return [
    cell('number', 'before', show(before)),
    cell('number', 'after', show(after)),
    cell('number', label, el('span', { class: tone === 'nil' ? 'muted' : tone }, word)),
    cell('wide-only', '', el('span', { class: 'change', 'aria-hidden': 'true' }, change !== 0 && bar)),
  ];
}

function line(first, { before, after }, kind = null) {
  return el(
    'tr',
    { class: kind },
    el('th', { scope: 'row', class: 'whole' }, first),
    changeCells(before.perMinute, after.perMinute, 'calls', rate),
    changeCells(before.mean, after.mean, 'mean', duration),
  );
}

class CompareView {
  #panel;
  #from = null;
  #to = NOW;
  #shown = null; /* the comparison */
  #timer = 0;
  #asked = 0;
  #picks;
  #selects = {};
  #copyButton;
  #figures = new FiguresRow([
    'upstream calls per minute',
    'upstream calls per request',
    'mean latency',
    'errors',
  ]);
  #body = el('tbody');
  #table;
  #instead = el('div');

  constructor(panel) {
    this.#panel = panel;
    this.keys = [];
    this.#build();
    panel.marks.addEventListener('change', () => {
      if (!this.element.hidden) {
        this.#from ??= panel.marks.marks?.[0]?.name ?? null;
        this.#showPicks();
        this.#ask();
      }
    });
  }

  show(parameters) {
    this.#from = parameters.get('from') ?? this.#from;
    this.#to = parameters.get('to') ?? NOW;
    this.#panel.connection.placeIn(this.element);
    this.#panel.marks.refresh();
    this.#timer = setInterval(() => {
      if (!document.hidden && this.#to === NOW) {
        this.#ask();
      }
    }, RENEW_MS);
  }

  hide() {
    clearInterval(this.#timer);
  }

  focus() {
    this.element.focus();
  }

  #build() {
    const pick = (name, word) => {
      this.#selects[name] = el('select', { on: { change: () => this.#picked() } });
      return el('label', {}, word, this.#selects[name]);
    };

    this.#copyButton = button('Copy as Markdown', () => this.#copy(), { symbol: 'copy' });
    this.#picks = el(
      'div',
      { class: 'pick', hidden: true },
      pick('from', 'From'),
      pick('to', 'to'),
      this.#copyButton,
    );
    this.#table = el(
      'div',
      { class: 'panel-box', hidden: true },
      el(
        'table',
        { class: 'table compare-table' },
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            headCell('Route'),
            headCell('Calls/min before', 'number', { title: 'Upstream calls per minute' }),
            headCell('after', 'number'),
            headCell('change', 'number'),
            el('td', { class: 'wide-only' }),
            headCell('Mean before', 'number'),
            headCell('after', 'number'),
            headCell('change', 'number'),
            el('td', { class: 'wide-only' }),
          ),
        ),
        this.#body,
      ),
    );
    this.#figures.element.hidden = true;
    this.element = page(
      TITLE,
      pageHead(
        TITLE,
        'Compare',
        'Mark, change something, and see what it did. Rates are per minute, so that marks of unequal length compare.',
        button('Mark now', () => this.#panel.marks.set(), {
          kind: 'primary',
          symbol: 'flag',
          key: 'm',
          'aria-keyshortcuts': 'm',
        }),
      ),
      this.#picks,
      this.#figures.element,
      this.#table,
      this.#instead,
    );
  }

  #showPicks() {
    const marks = this.#panel.marks.marks ?? [];
    const option = ({ name, ts, seconds }) =>
      el(
        'option',
        { value: name },
        [name, ts && name !== clock(ts, { millis: false }) && clock(ts, { millis: false }), minutes(seconds)]
          .filter(Boolean)
          .join(' · '),
      );
    const known = new Set(marks.map(({ name }) => name));
    const linked = [this.#from, this.#to]
      .filter((name) => name && !known.has(name))
      .map((name) => ({ name }));
    const options = [...marks, ...linked];

    this.#picks.hidden = options.length === 0;
    this.#selects.from.replaceChildren(...options.map(option));
    this.#selects.to.replaceChildren(el('option', { value: NOW }, 'now'), ...options.map(option));
    this.#selects.from.value = this.#from ?? '';
    this.#selects.to.value = this.#to;
  }

  #picked() {
    this.#from = this.#selects.from.value;
    this.#to = this.#selects.to.value;
    writeAddress(NAME, { from: this.#from, ...(this.#to === NOW ? {} : { to: this.#to }) });
    this.#ask();
  }

  async #ask() {
    this.#asked += 1;

    const own = this.#asked;

    if (this.#from === null && this.#panel.marks.problem !== null) {
      this.#noMarks(this.#panel.marks.problem);
      return;
    }
    if (this.#from === null) {
      this.#showInstead(
        emptyPage(
          'No mark yet',
          'Mark now, change a setting or your API, let some traffic pass, and come back: this page says what it did, by route.',
        ),
      );
      return;
    }
    if (this.#shown === null) {
      this.#instead.replaceChildren(skeletonRows());
    }
    try {
      const answer = await compareMarks(this.#from, this.#to);

      if (own === this.#asked) {
        this.#fill(toComparison(answer));
      }
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (own === this.#asked) {
        this.#failed(error);
      }
    }
  }

  #noMarks(problem) {
    this.#showInstead(
      problem.absent
        ? emptyPage(
            'This Sightglass cannot compare',
            'It has no api/marks: an older version, whose counters have no names.',
          )
        : emptyPage('The marks could not be fetched', problem.words),
    );
  }

  #failed(error) {
    if (error.status === 0 && this.#shown !== null) {
      return; /* the banner says so */
    }
    if (error.status === 404) {
      const names = [this.#from, this.#to].filter(Boolean).join(' and ');

      this.#showInstead(
        emptyPage(
          'These marks cannot be compared',
          `Sightglass has no counters under ${names}: it restarted since, or the mark was cleared. ${error.words}`,
        ),
      );
      return;
    }
    this.#showInstead(emptyPage('The marks could not be compared', error.words));
  }

  #showInstead(node) {
    this.#shown = null;
    this.#instead.replaceChildren(node);
    this.#table.hidden = true;
    this.#figures.element.hidden = true;
    this.#copyButton.disabled = true;
  }

  #fill(comparison) {
    const { total, items } = comparison;

    if (items.length === 0) {
      this.#showInstead(
        emptyPage('Nothing passed between these marks', 'A route stands here after its first request.'),
      );
      return;
    }
    this.#shown = comparison;
    this.#instead.replaceChildren();
    this.#table.hidden = false;
    this.#figures.element.hidden = false;
    this.#copyButton.disabled = false;
    this.#figures.show([
      [changeWords(total.before.perMinute, total.after.perMinute, rate).word],
      [perRequest(total.after), `was ${perRequest(total.before)}`],
      [changeWords(total.before.mean, total.after.mean, duration).word],
      Number.isFinite(total.after.errors)
        ? [errorShare(total.after), `was ${errorShare(total.before)}`, 'errors']
        : [rate(total.after.requestsPerMinute), `was ${rate(total.before.requestsPerMinute)}`, 'requests per minute'],
    ]);
    this.#body.replaceChildren(
      line('All routes', total, 'total'),
      ...items.map((item) =>
        line(el('span', { class: 'route' }, routeLabel(item.method, item.path)), item),
      ),
    );
  }

  #copy() {
    const to = this.#to === NOW ? 'now' : this.#to;

    this.#panel.notices.copy(toMarkdown(this.#shown, this.#from, to), 'the table as Markdown');
  }
}

export const compare = {
  name: NAME,
  title: 'Compare',
  create: (panel) => new CompareView(panel),
};
