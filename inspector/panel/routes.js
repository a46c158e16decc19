/*
 * One job: the view of the routes: what each took since the start, sorted by whichever head was
 * pressed. A line opens the traffic that it counts.
 */

import { hashOf, writeAddress } from './address.js';
import { el, icon, put } from './dom.js';
import { count } from './format.js';
import { emptyPage, headCell, page, pageHead, skeletonRows } from './page.js';
import { RouteLine } from './route_line.js';
import { passes, trafficOf } from './routes_model.js';
import { spreadHead } from './spread.js';

const NAME = 'routes';
const TITLE = 'routes-title';
const HEADS = [
  ['route', 'Route', ''],
  [null, 'Kept', 'wide-only'],
  ['count', 'Count', 'number'],
  ['p50', 'p50', 'number'],
  ['p95', 'p95', 'number'],
  ['p99', 'p99', 'number'],
  [null, null, 'wide-only'],
  ['errors', 'Errors', 'number'],
  ['calls', 'Upstream calls', 'number'],
  ['unchanged', 'Unchanged', 'number'],
];
const BY = {
  route: (item) => `${item.path} ${item.method}`,
  count: (item) => item.count,
  p50: (item) => item.p50,
  p95: (item) => item.p95,
  p99: (item) => item.p99,
  errors: (item) => item.errorRate,
  calls: (item) => item.callsPerRequest,
  unchanged: (item) => item.unchangedRate,
};
const USUAL = { by: 'count', down: true };

/* What has no value comes last, whichever way it is sorted. */
function compare(a, b, down) {
  if (typeof a === 'string') {
    return a.localeCompare(b) * (down ? -1 : 1);
  }
  if (Number.isNaN(a) || Number.isNaN(b)) {
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  }
  return (a - b) * (down ? -1 : 1);
}

class RoutesView {
  #panel;
  #lines = new Map(); /* by the route's key */
  #sort = { ...USUAL };
  #heads = new Map();
  #filter;
  #body = el('tbody');
  #table;
  #instead = el('div', {}, skeletonRows());

  constructor(panel) {
    this.#panel = panel;
    this.keys = [{ keys: ['/'], label: 'Filter', run: () => this.#filter.focus() }];
    this.#filter = el('input', {
      type: 'text',
      class: 'filter-input',
      spellcheck: 'false',
      autocomplete: 'off',
      'aria-label': 'Filter routes',
      placeholder: 'Filter routes',
      on: {
        input: () => this.#changed(),
        keydown: ({ key }) => key === 'Escape' && this.element.focus(),
      },
    });
    this.#table = el(
      'div',
      { class: 'panel-box', hidden: true },
      el(
        'table',
        { class: 'table routes-table' },
        el('thead', {}, el('tr', {}, HEADS.map((head) => this.#head(...head)))),
        this.#body,
      ),
    );
    this.element = page(
      TITLE,
      pageHead(
        TITLE,
        'Routes',
        'Since the start, captured or not. Identifiers in paths are folded.',
        el('div', { class: 'filter page-filter' }, icon('search'), this.#filter),
      ),
      this.#table,
      this.#instead,
    );
    panel.routes.addEventListener('change', () => this.#fill());
  }

  show(parameters) {
    const by = parameters.get('sort') ?? '';

    this.#sort = Object.hasOwn(BY, by)
      ? { by, down: parameters.get('order') !== 'up' }
      : { ...USUAL };
    this.#filter.value = parameters.get('q') ?? '';
    this.#panel.connection.placeIn(this.element);
    this.#panel.routes.watch(true);
    this.#fill();
  }

  hide() {
    this.#panel.routes.watch(false);
  }

  focus() {
    this.element.focus();
  }

  #head(name, word, kind) {
    if (word === null) {
      return headCell(spreadHead(), kind, { 'aria-label': 'Spread, log scale' });
    }
    if (name === null) {
      return headCell(word, kind);
    }

    const head = headCell(
      el('button', { type: 'button', on: { click: () => this.#sortBy(name) } }, word),
      kind,
    );

    this.#heads.set(name, head);
    return head;
  }

  /* The largest first, and the other way when pressed again; names from A on. */
  #sortBy(name) {
    const down = this.#sort.by === name ? !this.#sort.down : name !== 'route';

    this.#sort = { by: name, down };
    this.#changed();
  }

  #changed() {
    const { by, down } = this.#sort;
    const address = {};

    if (by !== USUAL.by || down !== USUAL.down) {
      address.sort = by;
      if (!down) {
        address.order = 'up';
      }
    }
    if (this.#filter.value !== '') {
      address.q = this.#filter.value;
    }
    writeAddress(NAME, address);
    this.#fill();
  }

  #fill() {
    const { items, problem } = this.#panel.routes;

    if (this.element.hidden || (items === null && problem === null)) {
      return;
    }

    const shown = (items ?? []).filter((item) => passes(item, this.#filter.value));

    this.#showHeads();
    this.#table.hidden = shown.length === 0;
    this.#instead.hidden = shown.length > 0;
    if (shown.length === 0) {
      this.#instead.replaceChildren(this.#insteadOf(items, problem));
      return;
    }
    this.#arrange(shown);
    for (const item of shown) {
      this.#lines.get(item.key).show(item);
    }
  }

  #insteadOf(items, problem) {
    if (items === null && problem.absent) {
      return emptyPage(
        'No statistics of routes',
        'This Sightglass does not count by route: it has no api/routes. The traffic itself is in the first view.',
      );
    }
    if (items === null) {
      return emptyPage('The routes could not be fetched', problem.words);
    }
    return items.length === 0
      ? emptyPage('Nothing has ended yet', 'A route stands here after its first request.')
      : emptyPage('No route matches', `${count(items.length)} are counted, and none passes ${this.#filter.value}`);
  }

  #showHeads() {
    for (const [name, head] of this.#heads) {
      const own = name === this.#sort.by;

      head.setAttribute('aria-sort', !own ? 'none' : this.#sort.down ? 'descending' : 'ascending');
    }
  }

  /* The lines of these, sorted; what stands right is not moved. */
  #arrange(items) {
    const { by, down } = this.#sort;
    const lines = [...items]
      .sort((a, b) => compare(BY[by](a), BY[by](b), down) || b.count - a.count)
      .map((item) => {
        if (!this.#lines.has(item.key)) {
          this.#lines.set(item.key, new RouteLine(item, hashOf('traffic', trafficOf(item))));
        }
        return this.#lines.get(item.key).line;
      });

    if (lines.length !== this.#body.children.length || lines.some((line, i) => line !== this.#body.children[i])) {
      this.#body.replaceChildren(...lines);
    }
  }
}

/* How many there are, beside the view's name. */
function badge({ routes }) {
  const shown = el('span', { class: 'badge', hidden: true });

  routes.addEventListener('change', () => {
    const number = routes.items?.length ?? 0;

    shown.hidden = number === 0;
    put(shown, count(number));
  });
  return shown;
}

export const routes = {
  name: NAME,
  title: 'Routes',
  create: (panel) => new RoutesView(panel),
  badge,
};
