/*
 * One job: the Traffic view. Puts filter bar, picture, table and detail together, and carries what
 * happens in one of them to the others.
 */

import { seqId } from './api.js';
import { writeAddress } from './address.js';
import { Announcer } from './announcer.js';
import { Clear } from './clear.js';
import { Detail } from './detail.js';
import { Divider } from './divider.js';
import { el } from './dom.js';
import {
  copyFilter,
  countLike,
  emptyFilter,
  filterLike,
  fromHash,
  isNarrowing,
  toHash,
} from './filter.js';
import { FilterBar } from './filter_bar.js';
import { count } from './format.js';
import { saveHar } from './har.js';
import { layout, onLayoutChange } from './layout.js';
import { Listing } from './listing.js';
import { isFailed } from './model.js';
import { Overview } from './overview.js';
import { RouteNames } from './routes_model.js';
import { tailOf } from './states.js';
import { Table } from './table.js';
import { trafficKeys } from './traffic_keys.js';

const NAME = 'traffic';

class Traffic {
  #panel;
  #listing;
  #bar;
  #overview;
  #table;
  #divider;
  #detail;
  #clear;
  #announcer;
  #split = el('div', { class: 'split' });
  #fresh;
  #chosen = 0; /* its seq */
  #open = null; /* the detail's ID as it stands in the address */
  #tab = null;
  #pending = false;
  #tailKey = '';
  #painted = Infinity; /* rows above this seq are new to the reader */
  #sought = false; /* the chosen row has not been in the list yet: a link opened it */

  constructor(panel) {
    this.#panel = panel;
    this.#listing = new Listing(panel);
    this.#clear = new Clear(panel);
    this.#announcer = new Announcer(panel);
    this.#makeParts();
    this.#build();
    this.#listen();
    this.keys = trafficKeys(this);
  }

  /* --- what a view is, see views.js */

  show(parameters) {
    const { filter, problems } = fromHash(parameters);
    const open = parameters.get('open');

    this.#panel.connection.placeAfter(this.#bar.element);
    if (problems.length > 0) {
      this.#panel.notices.say(problems.join('. '));
    }
    this.#tab = parameters.get('tab');
    this.#detail.setTab(this.#tab);
    this.#setFilter(filter);
    if (open) {
      this.#openDetail(open);
    } else {
      this.#closeDetail();
    }
    this.#write();
  }

  hide() {
    document.body.classList.remove('sheet');
  }

  focus() {
    this.#table.focus();
  }

  /* --- what the keys do, see traffic_keys.js */

  /* `step` rows down, or up where it is negative. */
  moveBy(step) {
    const at = this.#table.indexOf(this.#chosen);

    this.#chooseIndex(at < 0 ? 0 : at + step, Math.sign(step) || 1);
  }

  movePage(direction) {
    this.moveBy(direction * this.#table.pageRows);
  }

  moveToEnd(last) {
    this.#chooseIndex(last ? this.#table.rows.length - 1 : 0, last ? -1 : 1);
  }

  moveToFailure(step) {
    const { rows } = this.#table;
    const from = this.#table.indexOf(this.#chosen);

    for (let i = from + step; i >= 0 && i < rows.length; i += step) {
      if (!rows[i].gap && isFailed(rows[i])) {
        this.#chooseIndex(i);
        return;
      }
    }
  }

  enter() {
    if (this.#detail.open) {
      this.#detail.enter();
    } else {
      this.moveBy(0);
    }
  }

  /* From inside the detail back to the list; from the list, closes the detail. */
  leave() {
    if (this.#detail.actions.back()) {
      return;
    }

    const inside = this.#detail.element.contains(document.activeElement);

    if (inside && !layout.narrow) {
      this.#table.focus();
    } else {
      this.close();
    }
  }

  moveTab(step) {
    this.#detail.moveTab(step);
  }

  /* Of the exchange that is open; a key alone changes nothing at an upstream. */
  replay() {
    this.#detail.actions.replay({ asks: true });
  }

  edit() {
    this.#detail.actions.edit();
  }

  curl() {
    this.#detail.actions.curl();
  }

  focusFilter() {
    this.#bar.focus();
  }

  toggleErrors() {
    this.#bar.toggleErrors();
  }

  choose(seq) {
    const pushed = !this.#detail.open;

    this.#chosen = seq;
    this.#openDetail(seqId(seq));
    this.#write({ push: pushed });
  }

  close() {
    if (this.#detail.open) {
      this.#closeDetail();
      this.#write();
      this.#table.focus();
    }
  }

  /* --- building */

  #makeParts() {
    const { notices, store } = this.#panel;

    this.#bar = new FilterBar({
      onClear: () => this.#clear.start(),
      onExport: () => saveHar(this.#listing.filter, this.#panel),
    });
    this.#overview = new Overview({
      store,
      onChoose: (seq) => this.#chooseFromPicture(seq),
    });
    this.#table = new Table({
      onChoose: (seq) => this.choose(seq),
      onScroll: () => this.#scrolled(),
      onLoad: (gap) => this.#panel.feed.fillGap(gap),
    });
    this.#divider = new Divider(this.#split);
    this.#detail = new Detail({
      notices,
      onClose: () => this.close(),
      onTab: (name) => {
        this.#tab = name;
        this.#write();
      },
      onFound: (row) => {
        this.#chosen = row.seq;
        this.#placeChosen();
      },
      onOpen: (seq) => this.choose(seq),
      routeOf: (row) => new RouteNames(this.#panel.routes.items).of(row.method, row.path).item,
      countLike: (row) => countLike(this.#panel.store.rows, row),
      onLike: (row) => this.#applyFilter(filterLike(row)),
    });
    this.#fresh = el('button', {
      type: 'button',
      class: 'fresh',
      hidden: true,
      on: { click: () => this.#admit() },
    });
  }

  #build() {
    this.#split.append(
      el('div', { class: 'list' }, this.#table.element, this.#fresh),
      this.#divider.element,
      this.#detail.element,
    );
    this.element = el(
      'section',
      { class: 'view traffic', 'aria-label': 'Traffic' },
      this.#bar.element,
      this.#overview.element,
      this.#split,
    );
  }

  #listen() {
    const { store, search, feed, routes } = this.#panel;

    routes.addEventListener('change', () => this.#detail.showRoute());
    store.addEventListener('change', () => this.#request());
    search.addEventListener('change', () => this.#request());
    feed.addEventListener('info', () => this.#request());
    feed.addEventListener('news', ({ detail }) => search.follow(detail));
    feed.addEventListener('state', () => {
      if (feed.state === 'loading') {
        search.reset();
        this.#listing.release();
        this.#painted = Infinity;
      }
      this.#request();
    });
    this.#bar.addEventListener('change', ({ detail }) => {
      this.#setFilter(detail, { fromBar: true });
      this.#write();
    });
    this.#bar.addEventListener('leave', () => this.#table.focus());
    onLayoutChange(() => {
      this.#markSheet();
      this.#bar.set(this.#listing.filter);
      this.#table.relayout();
      this.#detail.relayout();
      this.#request();
    });
  }

  /* --- filter */

  #setFilter(filter, { fromBar = false } = {}) {
    this.#listing.filter = copyFilter(filter);
    this.#panel.search.set(filter);
    if (!fromBar) {
      this.#bar.set(filter);
    }
    this.#table.scrollToTop();
    this.#listing.admit();
    this.#request();
  }

  #applyFilter(filter) {
    this.#setFilter(filter);
    this.#write();
  }

  /* --- choosing */

  /* `direction`: which way to look on from a line that is no exchange. */
  #chooseIndex(index, direction = 1) {
    const { rows } = this.#table;
    let at = Math.max(0, Math.min(rows.length - 1, index));

    while (rows[at]?.gap) {
      at += direction;
    }
    if (rows[at]) {
      this.choose(rows[at].seq);
    }
  }

  /* A point may be a row that the list does not show: the detail opens all the same. */
  #chooseFromPicture(seq) {
    this.choose(seq);
    this.#table.focus();
  }

  #openDetail(id) {
    const match = /^seq:(\d+)$/.exec(id);

    this.#open = id;
    this.#chosen = match ? Number(match[1]) : this.#chosen;
    this.#listing.hold();
    this.#detail.show(id, match ? this.#panel.store.get(this.#chosen) : undefined);
    this.#split.classList.add('open');
    this.#divider.element.hidden = false;
    this.#table.setCompact(true);
    this.#placeChosen();
    this.#markSheet();
  }

  #closeDetail() {
    this.#open = null;
    this.#chosen = 0;
    this.#detail.close();
    this.#split.classList.remove('open');
    this.#divider.element.hidden = true;
    this.#table.setCompact(false);
    this.#placeChosen();
    this.#markSheet();
    this.#scrolled();
  }

  #placeChosen() {
    this.#sought = this.#chosen !== 0 && this.#table.indexOf(this.#chosen) < 0;
    this.#table.setChosen(this.#chosen);
    this.#table.reveal(this.#chosen);
    this.#overview.setChosen(this.#panel.store.get(this.#chosen) ?? null);
  }

  #markSheet() {
    document.body.classList.toggle('sheet', this.#detail.open && !this.element.hidden);
  }

  /* --- following what is new */

  /* The list moves only at its top, and while nothing is chosen. */
  #scrolled() {
    if (this.#table.atTop && !this.#detail.open) {
      if (this.#listing.held) {
        this.#listing.release();
        this.#request();
      }
    } else {
      this.#listing.hold();
    }
  }

  #admit() {
    this.#listing.admit();
    this.#table.scrollToTop();
    this.#table.focus();
    this.#request();
  }

  /* --- painting: once per animation frame, whatever happened */

  #request() {
    if (!this.#pending) {
      this.#pending = true;
      requestAnimationFrame(() => {
        this.#pending = false;
        this.#update();
      });
    }
  }

  #update() {
    const { store, search, feed } = this.#panel;
    const listing = this.#listing;
    const tally = store.tally();
    const narrowing = isNarrowing(listing.filter);

    if (this.#painted === Infinity) {
      listing.admit(); /* still loading: what a link has opened holds nothing back */
    }
    listing.update();
    this.#table.setRows(listing.rows, this.#painted);
    if (this.#sought && this.#table.indexOf(this.#chosen) >= 0) {
      this.#sought = false;
      this.#table.reveal(this.#chosen);
    }
    this.#bar.setCounts(tally, listing.rows.length + listing.waiting, narrowing);
    this.#bar.setServerProblem(search.problem);
    this.#overview.show(
      listing.passing(),
      store.get(this.#chosen) ?? null,
      feed.state === 'live',
    );
    this.#showFresh();
    this.#showTail(tally);
    this.#detail.refresh(store.get(this.#chosen));
    if (feed.state === 'live') {
      this.#painted = store.highest;
      this.#announcer.update();
    }
  }

  #showFresh() {
    const { waiting } = this.#listing;

    this.#fresh.hidden = waiting === 0;
    this.#fresh.textContent = `↑ ${count(waiting)} new`;
  }

  #showTail(tally) {
    const { feed, store, notices } = this.#panel;
    const { filter, rows } = this.#listing;
    const { key, nodes } = tailOf(
      { feed, store, tally, shown: rows.length, filter },
      {
        notices,
        onClearFilter: () => this.#applyFilter({ ...emptyFilter(), polls: filter.polls }),
        onShowPolls: () => this.#applyFilter({ ...copyFilter(filter), polls: true }),
      },
    );

    if (key !== this.#tailKey) {
      this.#tailKey = key;
      this.#table.setTail(...nodes());
    }
  }

  #write(options) {
    const address = toHash(this.#listing.filter);

    if (this.#open !== null) {
      address.open = this.#open;
      if (this.#tab !== null) {
        address.tab = this.#tab;
      }
    }
    writeAddress(NAME, address, options);
  }
}

export const traffic = { name: NAME, title: 'Traffic', create: (panel) => new Traffic(panel) };
