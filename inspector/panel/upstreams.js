/*
 * One job: the view of the upstreams: a card each, the degraded first, renewed once a second.
 */

import { upstreamAdvice } from './advice.js';
import { el } from './dom.js';
import { capital } from './format.js';
import { pageHead } from './page.js';
import { serverNow } from './server_clock.js';
import { UpstreamCard } from './upstream_card.js';
import { standing } from './upstreams_model.js';

class UpstreamsView {
  #panel;
  #cards = new Map(); /* by the upstream's name */
  #list = el('div', { class: 'cards' }, el('i', { class: 'card skeleton' }));
  #problem = el('p', { class: 'note-box', hidden: true });

  constructor(panel) {
    this.#panel = panel;
    this.keys = [];
    this.element = el(
      'section',
      { class: 'view page', 'aria-labelledby': 'upstreams-title', tabindex: '-1' },
      el(
        'div',
        { class: 'page-content' },
        pageHead(
          'upstreams-title',
          'Upstreams',
          'Pools, breakers and credentials of all workers, now. The curves are drawn while this page is open.',
        ),
        this.#problem,
        this.#list,
      ),
    );
    panel.upstreams.addEventListener('change', () => this.#fill());
    if (panel.upstreams.items !== null) {
      this.#fill();
    }
  }

  show() {
    this.#panel.connection.placeIn(this.element);
    this.#panel.upstreams.watch(true);
  }

  hide() {
    this.#panel.upstreams.watch(false);
  }

  focus() {
    this.element.focus();
  }

  #fill() {
    const { items, problem } = this.#panel.upstreams;

    this.#showProblem(problem);
    if (items === null) {
      return;
    }
    this.#arrange(items);
    for (const item of items) {
      this.#cards.get(item.name).show(item, {
        samples: this.#panel.upstreams.samples(item.name),
        connectRate: this.#panel.upstreams.connectRate(item.name),
        now: serverNow(),
        advice: upstreamAdvice(item, {
          samples: this.#panel.upstreams.samples(item.name),
          rows: this.#panel.store.rows,
        }),
      });
    }
  }

  /* That there is no connection is said by the banner. */
  #showProblem(problem) {
    this.#problem.hidden = problem === null || problem.status === 0;
    if (!this.#problem.hidden) {
      this.#problem.textContent = `Sightglass answered ${problem.status}: ${capital(problem.message)}`;
    }
  }

  /* The cards of these, in this order; what stands right is not moved. */
  #arrange(items) {
    const cards = items.map((item) => {
      if (!this.#cards.has(item.name)) {
        this.#cards.set(item.name, new UpstreamCard(item));
      }
      return this.#cards.get(item.name).element;
    });

    if (cards.length !== this.#list.children.length || cards.some((card, i) => card !== this.#list.children[i])) {
      this.#list.replaceChildren(...cards);
    }
  }
}

/* How many are degraded, beside the view's name; and said aloud when one becomes it, or is again. */
function badge({ upstreams, notices }) {
  const words = el('span', { class: 'off-screen' });
  const figure = el('span', { class: 'badge bad', hidden: true });
  let known = null; /* the names of those that were degraded */

  upstreams.addEventListener('change', () => {
    const { degraded, items } = upstreams;

    if (items === null) {
      return;
    }
    figure.hidden = degraded.length === 0;
    figure.replaceChildren(String(degraded.length), words);
    words.textContent = ' degraded';
    figure.title = degraded.map((item) => `${item.name}: ${standing(item).word}`).join('\n');
    if (known !== null) {
      degraded
        .filter(({ name }) => !known.has(name))
        .forEach((item) => notices.alert(`Upstream ${item.name}: ${standing(item).word}`));
      items
        .filter((item) => known.has(item.name) && !degraded.includes(item))
        .forEach(({ name }) => notices.announce(`Upstream ${name} is healthy again`));
    }
    known = new Set(degraded.map(({ name }) => name));
  });
  return figure;
}

export const upstreams = {
  name: 'upstreams',
  title: 'Upstreams',
  create: (panel) => new UpstreamsView(panel),
  badge,
};
