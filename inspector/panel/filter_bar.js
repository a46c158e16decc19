/*
 * One job: the bar that sets the filter. `key:value` and a space make a token, Backspace reopens the
 * last, what is left in the box is text to look for. Tells 'change' with each new filter, and 'leave'
 * when Escape leaves the box.
 */

import { button, el, icon } from './dom.js';
import { count, plural } from './format.js';
import { KEYS, addToken, copyFilter, emptyFilter, splitToken, tokenProblem } from './filter.js';
import { layout } from './layout.js';
import { Suggestions } from './suggestions.js';

const HINT = 'Filter: status:>=400 method:POST path:/api/* or any text';

export class FilterBar extends EventTarget {
  #filter = emptyFilter();
  #tokens = el('span', { class: 'tokens' });
  #input;
  #suggestions;
  #problem = el('span', { class: 'filter-problem', role: 'alert', hidden: true });
  #typedProblem = null;
  #serverProblem = null;
  #errors;
  #errorCount = el('span', { class: 'badge bad' });
  #polls;
  #pollCount = el('span', { class: 'badge' });
  #count = el('span', { class: 'count' });

  constructor({ onClear, onExport }) {
    super();
    this.#input = this.#makeInput();
    this.#suggestions = new Suggestions(this.#input, (text) => this.#pick(text));
    this.#errors = this.#makeToggle('errors', 'errors-only', 'x', [
      icon('alert'),
      el('span', {}, 'Errors only'),
      this.#errorCount,
    ]);
    this.#polls = this.#makeToggle('polls', 'show-polls', null, [
      el('span', { class: 'wide-word' }, 'Show polls'),
      el('span', { class: 'narrow-word' }, 'Polls'),
      this.#pollCount,
    ]);
    this.export = button('HAR', onExport, {
      kind: 'quiet export',
      symbol: 'down',
      title: 'Save what the filter shows as a HAR file',
    });
    this.clear = button('Clear', onClear, {
      kind: 'quiet clear',
      symbol: 'trash',
      title: 'Clear all that is kept, in 5 s: till then it can be undone; what comes meanwhile goes too',
    });
    this.element = el(
      'div',
      { class: 'filter-bar', role: 'search' },
      el(
        'div',
        { class: 'filter' },
        icon('search'),
        this.#tokens,
        this.#input,
        this.#problem,
        el('kbd', { class: 'hint', 'aria-hidden': 'true' }, '/'),
        this.#suggestions.element,
      ),
      this.#errors,
      this.#polls,
      this.#count,
      this.export,
      this.clear,
    );
  }

  /* Shows a filter that came from elsewhere; tells nothing. */
  set(filter) {
    this.#filter = copyFilter(filter);
    this.#input.value = filter.text;
    this.#show();
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  toggleErrors() {
    this.#filter.errors = !this.#filter.errors;
    this.#changed();
  }

  /* Why the server did not take the filter; null where it did. */
  setServerProblem(words) {
    this.#serverProblem = words;
    this.#showProblem();
  }

  /* `tally` as the store counts; `shown` is how many rows pass the filter. */
  setCounts(tally, shown, narrowing) {
    const failed = tally.failedExchanges + (this.#filter.polls ? tally.failedPolls : 0);
    const all = tally.exchanges + (this.#filter.polls ? tally.polls : 0);
    let words = plural(tally.exchanges, 'exchange', 'exchanges');

    if (narrowing) {
      words = `${count(shown)} of ${count(all)}`;
    } else if (this.#filter.polls) {
      words += `, ${plural(tally.polls, 'poll', 'polls')}`;
    }
    this.#count.textContent = layout.narrow ? count(shown) : words;
    this.#errorCount.textContent = count(failed);
    this.#errorCount.hidden = failed === 0;
    this.#pollCount.textContent = count(tally.polls);
    this.clear.disabled = tally.exchanges + tally.polls === 0;
    this.export.disabled = tally.exchanges === 0;
  }

  #makeInput() {
    return el('input', {
      type: 'text',
      class: 'filter-input',
      spellcheck: 'false',
      autocomplete: 'off',
      autocapitalize: 'off',
      role: 'combobox',
      'aria-expanded': 'false',
      'aria-controls': 'suggestions',
      'aria-autocomplete': 'list',
      'aria-label': 'Filter exchanges',
      on: {
        input: () => this.#typed(),
        keydown: (event) => this.#pressed(event),
      },
    });
  }

  #makeToggle(name, kind, key, children) {
    return el(
      'button',
      {
        type: 'button',
        class: `button toggle ${kind}`.trim(),
        'aria-pressed': 'false',
        'aria-keyshortcuts': key,
        on: {
          click: () => {
            this.#filter[name] = !this.#filter[name];
            this.#changed();
          },
        },
      },
      children,
    );
  }

  #typed() {
    const words = this.#input.value.split(' ');
    let problem = null;

    /* Each word that a space has ended may be a token; the others stay text. */
    const rest = words.slice(0, -1).filter((word) => {
      const token = splitToken(word);

      if (token === null || token.value === '') {
        return true;
      }
      problem = tokenProblem(token.key, token.value);
      if (problem === null) {
        addToken(this.#filter, token.key, token.value);
      }
      return problem !== null;
    });

    if (rest.length < words.length - 1) {
      this.#input.value = [...rest, words[words.length - 1]].join(' ');
    }
    this.#typedProblem = problem;
    this.#showProblem();
    this.#filter.text = this.#text();
    this.#changed();
  }

  /* What is in the box and is no token, not even one that is being typed. */
  #text() {
    return this.#input.value
      .trim()
      .split(/\s+/)
      .filter((word) => splitToken(word) === null)
      .join(' ');
  }

  #pressed(event) {
    if (this.#suggestions.pressed(event)) {
      return;
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      this.#suggestions.close();
      this.#input.value = `${this.#input.value.trim()} `.trimStart();
      this.#typed();
    } else if (event.key === 'Backspace' && this.#input.value === '') {
      this.#reopenLast(event);
    } else if (event.key === 'Escape') {
      this.#input.blur();
      this.dispatchEvent(new Event('leave'));
    }
  }

  #reopenLast(event) {
    const last = [...this.#filter.tokens].pop();

    if (last) {
      event.preventDefault();
      this.#filter.tokens.delete(last[0]);
      this.#input.value = last.join(':');
      this.#changed();
    }
  }

  #showProblem() {
    const words = this.#typedProblem ?? this.#serverProblem;

    this.#problem.hidden = words === null;
    this.#problem.textContent = words ?? '';
  }

  #pick(text) {
    this.#input.value = text;
    this.#typed();
  }

  #changed() {
    this.#show();
    this.dispatchEvent(new CustomEvent('change', { detail: copyFilter(this.#filter) }));
  }

  #show() {
    const { tokens, errors, polls } = this.#filter;

    this.#tokens.replaceChildren(...[...tokens].map(([key, value]) => this.#token(key, value)));
    this.#errors.setAttribute('aria-pressed', errors);
    this.#polls.setAttribute('aria-pressed', polls);
    this.#input.placeholder = '';
    if (tokens.size === 0) {
      this.#input.placeholder = layout.narrow ? 'Filter or search' : HINT;
    }
  }

  #token(key, value) {
    return el(
      'button',
      {
        type: 'button',
        class: 'token',
        'aria-label': `Remove ${key}:${value}`,
        title: `The API's ${KEYS[key].parameter}`,
        on: {
          click: () => {
            this.#filter.tokens.delete(key);
            this.#changed();
            this.#input.focus();
          },
        },
      },
      el('span', { class: 'token-key' }, `${key}:`),
      value,
      icon('close'),
    );
  }
}
