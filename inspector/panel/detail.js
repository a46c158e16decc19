/*
 * One job: the detail of the chosen exchange. The head stands at once, from the row that the page
 * holds; the record is fetched, and fetched again while the exchange runs. What it shows below the tabs
 * gives way to the editor, and to two answers compared.
 */

import { ApiError, getRecord, seqId } from './api.js';
import { isEventStream } from './body.js';
import { DetailActions } from './detail_actions.js';
import { detailHead } from './detail_head.js';
import { button, el, linkButton } from './dom.js';
import { duration } from './format.js';
import { differs, durationOf, isLive, toRow } from './model.js';
import { layout } from './layout.js';
import { Side } from './side.js';
import { TabBar } from './tab_bar.js';
import { timingStrip, timingTab } from './timing.js';

const SETTLE_MS = 80; /* arrow keys held down fetch only what they stop at */
const TICK_MS = 250; /* how often a running duration is written */
const PATIENCE_MS = 150; /* before grey bars show that something is awaited */

export class Detail {
  #tools;
  #id = null; /* as asked for: `seq:N` or a request ID */
  #row = null;
  #record = null;
  #abort = new AbortController();
  #fetching = false;
  #stale = false;
  #head = el('div', { class: 'detail-top' });
  #tabs;
  #body = el('div', { class: 'detail-body', role: 'tabpanel', id: 'detail-panel' });
  #sides;
  #actions;

  /*
   * `tools` is {notices, onClose(), onTab(name), onFound(row), onOpen(seq), countLike(row), onLike(row),
   * routeOf(row)}; `onFound` is called where the record of a request ID has come, with its row, `onOpen`
   * for another exchange; `routeOf` gives the statistics of its route, or undefined.
   */
  constructor(tools) {
    this.#tools = tools;
    this.#actions = new DetailActions({
      notices: tools.notices,
      onOpen: tools.onOpen,
      onHead: () => this.#row !== null && this.#showHead(),
      onBody: () => this.#showBody(),
      onLeave: () => this.enter(),
    });
    this.#sides = {
      request: new Side('request', tools),
      response: new Side('response', tools),
    };
    this.#tabs = new TabBar({
      panel: this.#body,
      onChange: (name) => {
        this.#actions.uncover();
        this.#showHead();
        this.#showBody();
        tools.onTab(name);
      },
    });
    this.element = el('section', {
      class: 'detail',
      'aria-label': 'Exchange',
      tabindex: '-1',
      hidden: true,
    });
    setInterval(() => this.#tick(), TICK_MS);
  }

  get open() {
    return this.#id !== null;
  }

  /* Shows an exchange; `row` is what the page holds of it, or undefined. */
  show(id, row) {
    if (id === this.#id) {
      return;
    }
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#id = id;
    this.#row = row ? { ...row } : null;
    this.#record = null;
    this.#fetching = false;
    this.#stale = false;
    this.#actions.reset(this.#row, null);
    this.element.hidden = false;
    this.#showFrame();
    if (!row?.poll) {
      this.#await();
    }
  }

  close() {
    this.#abort.abort();
    this.#actions.reset(null, null);
    this.#id = null;
    this.#row = null;
    this.#record = null;
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  /* The row that the page holds may have changed. */
  refresh(row) {
    if (this.open && row && this.#row?.seq === row.seq && differs(this.#row, row)) {
      this.#row = { ...row };
      this.#showHead();
      if (!row.poll) {
        this.#fetch();
      }
    }
  }

  setTab(name) {
    this.#tabs.set(name);
  }

  /* The routes' statistics are there now: the timing tab stands beside them. */
  showRoute() {
    if (
      this.#record !== null &&
      this.#tabs.current === 'timing' &&
      this.#actions.cover === null &&
      this.#body.querySelector('.beside') === null
    ) {
      this.#showBody();
    }
  }

  /* What can be done with it: by key, as by button. */
  get actions() {
    return this.#actions;
  }

  /* `step` is 1 for the next, -1 for the previous. */
  moveTab(step) {
    if (this.open && this.#record !== null) {
      this.#tabs.move(step);
    }
  }

  /* Puts the focus inside. */
  enter() {
    if (this.open) {
      this.element.focus({ preventScroll: true });
    }
  }

  relayout() {
    this.#tabs.relayout();
    if (this.open && this.#row !== null) {
      this.#showFrame();
      this.#showBody();
    }
  }

  /* --- fetching */

  #await() {
    const { signal } = this.#abort;

    setTimeout(() => !signal.aborted && this.#fetch(), SETTLE_MS);
    setTimeout(() => {
      if (!signal.aborted && this.#record === null && this.#row !== null) {
        this.#sides.request.wait();
        this.#sides.response.wait();
        this.#showBody();
      }
    }, SETTLE_MS + PATIENCE_MS);
  }

  /* One at a time; what changes meanwhile is fetched after. */
  async #fetch() {
    const { signal } = this.#abort;

    if (this.#fetching) {
      this.#stale = true;
      return;
    }
    this.#fetching = true;
    this.#stale = false;
    try {
      const id = this.#row === null ? this.#id : seqId(this.#row.seq);
      const record = await getRecord(id, signal);

      if (!signal.aborted) {
        this.#take(record);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#failed(error);
      }
    }
    if (signal.aborted) {
      return;
    }
    this.#fetching = false;
    if (this.#stale) {
      this.#fetch();
    }
  }

  #take(record) {
    const row = toRow(record);
    const found = this.#row === null;

    this.#record = record;
    this.#row = row;
    this.#actions.take(row, record);
    this.#showFrame();
    this.#showBody();
    if (found) {
      this.#tools.onFound(row);
    }
  }

  #failed(error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    if (this.#record !== null) {
      return; /* what was fetched before stays; the connection's banner says the rest */
    }
    if (error.status === 404) {
      this.#showGone();
    } else {
      this.#showProblem(error);
    }
  }

  /* --- showing */

  #tick() {
    if (this.open && !document.hidden && this.#row !== null && isLive(this.#row)) {
      const shown = this.#head.querySelector('.detail-duration');

      shown.textContent = duration(durationOf(this.#row));
    }
  }

  #showFrame() {
    if (this.#row === null) {
      this.element.replaceChildren(); /* what stood there is another one's */
      return;
    }
    this.#showHead();
    if (this.#body.parentNode !== this.element) {
      this.#body.replaceChildren();
      this.element.replaceChildren(this.#head, this.#tabs.element, this.#body);
    }
    this.#tabs.element.hidden = this.#row.poll;
    if (this.#row.poll) {
      this.#body.classList.remove('both');
      this.#body.replaceChildren(
        el(
          'p',
          { class: 'note-box' },
          'Of this exchange only the row is kept: its route’s capture is ',
          el('code', {}, 'row'),
          '. Headers and bodies passed untouched.',
        ),
      );
    }
  }

  #showHead() {
    const record = this.#record;
    const inside = [this.#head, this.#tabs.element].some((part) =>
      part.contains(document.activeElement),
    );
    const focused = inside ? document.activeElement.dataset.act : null;

    const actions = this.#row.poll ? null : this.#actions.buttons();

    this.#head.replaceChildren(
      ...detailHead(this.#row, {
        record,
        stream: record !== null && isEventStream(record),
        tools: this.#tools,
        actions,
        replay: this.#actions.words(),
      }),
    );
    this.#tabs.setActions(layout.narrow ? null : actions);
    if (!this.#row.poll) {
      this.#head.append(timingStrip(this.#row) ?? '');
    }
    if (focused) {
      this.element.querySelector(`[data-act="${focused}"]`)?.focus();
    }
  }

  #showBody() {
    const { request, response } = this.#sides;
    const tab = this.#tabs.current;

    if (this.#row === null || this.#row.poll) {
      return;
    }
    if (this.#record !== null) {
      request.show(this.#record);
      response.show(this.#record);
    }

    if (this.#actions.cover !== null) {
      this.#body.classList.remove('both');
      if (this.#body.firstChild !== this.#actions.cover) {
        this.#body.replaceChildren(this.#actions.cover);
      }
      return;
    }

    const shown = {
      both: [request.element, response.element],
      request: [request.element],
      response: [response.element],
      timing: this.#record === null ? [] : [timingTab(this.#row, this.#record, this.#tools.routeOf(this.#row))],
    }[tab];
    const same =
      tab !== 'timing' &&
      shown.length === this.#body.children.length &&
      shown.every((node, i) => node === this.#body.children[i]);

    this.#body.classList.toggle('both', tab === 'both');
    if (!same) {
      this.#body.replaceChildren(...shown);
    }
  }

  #showEmpty(title, ...rest) {
    this.element.replaceChildren(
      el(
        'div',
        { class: 'empty' },
        el('b', {}, title),
        rest,
        button(layout.narrow ? 'Back to the list' : 'Close', this.#tools.onClose),
      ),
    );
  }

  #showGone() {
    const setting = '--capture-entries 5000 --capture-memory 128MiB';

    this.#showEmpty(
      'This exchange is no longer kept',
      el('p', {}, 'It was cleared, or it was the oldest when the ring filled. To keep more:'),
      el(
        'div',
        { class: 'code' },
        el('code', {}, setting),
        linkButton('Copy', () => this.#tools.notices.copy(setting, 'the settings')),
      ),
    );
  }

  #showProblem(error) {
    this.#showEmpty(
      'This exchange could not be fetched',
      el('p', {}, error.status === 0 ? `There was ${error.message}.` : error.message),
      button('Try again', () => {
        this.#body.remove();
        this.#showFrame();
        this.#fetch();
      }),
    );
  }
}
