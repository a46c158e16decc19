/*
 * One job: the view of the polls: a line each, with what would help it and what that would have saved.
 */

import { button, el, put } from './dom.js';
import { count, duration, figure, percent } from './format.js';
import { FiguresRow } from './figures_row.js';
import { emptyPage, headCell, page, pageHead, skeletonRows } from './page.js';
import { PollLine } from './poll_line.js';
import { settingsOf } from './poll_settings.js';

const TITLE = 'polls-title';

class PollsView {
  #panel;
  #lines = new Map(); /* by the poll's key */
  #figures = new FiguresRow([
    'calls were polls',
    'of their answers unchanged',
    'upstream time spent',
    'could have been saved',
  ]);
  #body = el('tbody');
  #table;
  #instead = el('div', {}, skeletonRows());
  #copyAll;
  #opened = false; /* the first line, once */

  constructor(panel) {
    this.#panel = panel;
    this.keys = [];
    this.#copyAll = button('Copy all settings', () => this.#copySettings(), {
      symbol: 'copy',
      disabled: true,
    });
    this.#table = this.#makeTable();
    this.element = page(
      TITLE,
      pageHead(
        TITLE,
        'Polls',
        'Requests that come back at a steady pace, over the last 5 minutes. Each tick is a call; tall where its answer changed.',
        this.#copyAll,
      ),
      this.#figures.element,
      this.#table,
      this.#instead,
    );
    this.#table.hidden = true;
    this.#figures.element.hidden = true;
    panel.polls.addEventListener('change', () => this.#fill());
  }

  show() {
    this.#panel.connection.placeIn(this.element);
    this.#panel.polls.watch(true);
  }

  hide() {
    this.#panel.polls.watch(false);
  }

  focus() {
    this.element.focus();
  }

  #makeTable() {
    return el(
      'div',
      { class: 'panel-box' },
      el(
        'table',
        { class: 'table polls-table' },
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            headCell('Poll'),
            headCell('Cadence, last 100 s', 'wide-only'),
            headCell('Every', 'number'),
            headCell('Overlap', 'number', { title: 'Began while the same call was in flight' }),
            headCell('Calls', 'number'),
            headCell('Unchanged', 'number'),
            headCell('Bytes', 'number'),
            headCell('Upstream time', 'number'),
            headCell('What would help'),
          ),
        ),
        this.#body,
      ),
    );
  }

  #fill() {
    const { polls, sum } = this.#panel.polls;

    if (this.element.hidden || this.#panel.feed.state === 'loading') {
      return;
    }
    this.#table.hidden = polls.length === 0;
    this.#figures.element.hidden = polls.length === 0;
    this.#instead.hidden = polls.length > 0;
    this.#copyAll.disabled = !polls.some(({ advice }) => advice.length > 0);
    if (polls.length === 0) {
      this.#instead.replaceChildren(
        emptyPage(
          'No polls yet',
          'A poll is a read that comes back at a steady pace. It stands here after its fourth call.',
        ),
      );
      return;
    }
    this.#figures.show([
      [count(sum.calls), `of ${count(sum.all)}`],
      sum.compared > 0 ? [percent(sum.unchanged, sum.compared), '%'] : ['–', ''],
      figure(duration(sum.upstreamMs)),
      [count(sum.saved), sum.saved === 1 ? 'call' : 'calls'],
    ]);
    this.#arrange(polls);
    for (const each of polls) {
      this.#lines.get(each.poll.key).show(each);
    }
    if (!this.#opened) {
      this.#opened = true;
      this.#lines.get(this.#order(polls)[0].poll.key).open(true);
    }
  }

  /* What saves most stands first; while the page is open a line keeps its place. */
  #order(polls) {
    const saved = ({ advice }) => advice[0]?.saves.calls ?? 0;

    return [...polls].sort((a, b) => saved(b) - saved(a) || b.poll.calls.length - a.poll.calls.length);
  }

  #arrange(polls) {
    const keys = new Set(polls.map(({ poll }) => poll.key));
    const same = keys.size === this.#lines.size && [...keys].every((key) => this.#lines.has(key));

    if (same) {
      return;
    }

    const lines = new Map();

    for (const { poll } of this.#order(polls)) {
      lines.set(poll.key, this.#lines.get(poll.key) ?? new PollLine(poll, (...what) => this.#panel.notices.copy(...what)));
    }
    this.#lines = lines;
    this.#body.replaceChildren(...[...lines.values()].flatMap(({ line, more }) => [line, more]));
  }

  #copySettings() {
    const { text, polls } = settingsOf(this.#panel.polls.polls);

    this.#panel.notices.copy(text, `what would help ${polls === 1 ? '1 poll' : `${polls} polls`}`);
  }
}

/* How many there are, beside the view's name. */
function badge({ polls }) {
  const shown = el('span', { class: 'badge', hidden: true });

  polls.addEventListener('change', () => {
    shown.hidden = polls.polls.length === 0;
    put(shown, count(polls.polls.length));
  });
  return shown;
}

export const polls = {
  name: 'polls',
  title: 'Polls',
  create: (panel) => new PollsView(panel),
  badge,
};
