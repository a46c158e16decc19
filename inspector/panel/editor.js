/*
 * One job: the form in which a request is changed before it is sent again. What was redacted stands
 * empty in it, since it is never sent again by itself.
 */

import { readBody } from './body.js';
import { button, el } from './dom.js';
import { plural } from './format.js';
import { jsonText } from './json_text.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const MARK = /\[redacted(?::[0-9a-f]{1,32})?\]/g;
const FIELD = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*)$/;

/* Set anew for each request, by the browser, the proxy or the connection. */
const OF_THE_WAY =
  /^(host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|via|forwarded|x-forwarded-.*|x-real-ip|x-request-id|traceparent|tracestate|sec-.*|proxy-.*)$/i;

function isRedacted(text) {
  return text.search(MARK) >= 0;
}

/* `Name: value` lines of those fields that may be sent again. */
function fieldLines(record) {
  return (record.request_headers ?? [])
    .filter(({ name, value }) => !OF_THE_WAY.test(name) && !isRedacted(value))
    .map(({ name, value }) => `${name}: ${value}`)
    .join('\n');
}

/* {fields, problem}: the lines read, or which of them is none. */
function readFields(text) {
  const fields = [];

  for (const line of text.split('\n')) {
    const match = FIELD.exec(line.trim());

    if (match) {
      fields.push({ name: match[1], value: match[2] });
    } else if (line.trim() !== '') {
      return { fields, problem: `“${line.trim()}” is no header; one reads Name: value` };
    }
  }
  return { fields, problem: null };
}

export class Editor {
  #body = null; /* of the captured request, as body.js has it */
  #shown = ''; /* its text as it was put into the form */
  #hole = -1; /* where in it a value is missing */
  #method;
  #path;
  #headers;
  #bodyField;
  #problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  #onSend;
  #onCancel;

  /* `onSend(changes)` and `onCancel()` are called at most once. */
  constructor(record, { onSend, onCancel }) {
    this.#onSend = onSend;
    this.#onCancel = onCancel;
    this.#build(record);
    this.ready = this.#readBody(record);
  }

  #build(record) {
    const query = record.query ? `?${record.query}` : '';
    const methods = METHODS.includes(record.method) ? METHODS : [record.method, ...METHODS];

    this.#method = el('select', {}, methods.map((method) => el('option', {}, method)));
    this.#method.value = record.method;
    this.#path = el('input', { type: 'text', spellcheck: 'false', autocomplete: 'off' });
    this.#path.value = `${record.path}${query}`.replace(MARK, '');
    this.#headers = el('textarea', { rows: '4', spellcheck: 'false' });
    this.#headers.value = fieldLines(record);
    this.#bodyField = el('textarea', { rows: '8', class: 'editor-body', spellcheck: 'false' });
    this.note = el('p', { class: 'muted' }, this.#hiddenWords(record));
    this.element = el(
      'form',
      {
        class: 'editor',
        'aria-label': 'Edit and replay',
        on: {
          submit: (event) => {
            event.preventDefault();
            this.#send();
          },
          keydown: (event) => this.#pressed(event),
        },
      },
      el('h3', {}, 'Edit and replay'),
      el(
        'div',
        { class: 'editor-target' },
        el('label', {}, 'Method', this.#method),
        el('label', {}, 'Path and query', this.#path),
      ),
      el('label', {}, 'Headers', this.#headers),
      el('label', {}, 'Body', this.#bodyField),
      this.note,
      this.#problem,
      el(
        'div',
        { class: 'actions' },
        button('Send', () => this.#send(), { kind: 'primary', symbol: 'replay', key: 'Ctrl ↵' }),
        button('Cancel', () => this.#onCancel(), { key: 'Esc' }),
      ),
    );
  }

  #hiddenWords(record) {
    const hidden = (record.request_headers ?? []).filter(({ value }) => isRedacted(value)).length;
    const words = 'Redacted values are never sent again. Your own credentials go with the request.';

    return hidden > 0 ? `${plural(hidden, 'redacted header is', 'redacted headers are')} left out. ${words}` : words;
  }

  async #readBody(record) {
    this.#body = await readBody(record, 'request');
    if (this.#body === null) {
      return;
    }
    if (this.#body.text === null) {
      this.#bodyField.disabled = true;
      this.#bodyField.placeholder = 'Binary: it goes as it was captured';
      return;
    }

    const { text, kind, cut } = this.#body;
    const laidOut = kind === 'json' && !cut ? await jsonText(text, false, new AbortController().signal) : text;

    this.#hole = laidOut.search(MARK);
    this.#shown = laidOut.replace(MARK, '');
    this.#bodyField.value = this.#shown;
  }

  /* Where there is something to fill in, the caret stands there. */
  async focus() {
    await this.ready;

    if (this.#hole >= 0) {
      this.#bodyField.focus();
      this.#bodyField.setSelectionRange(this.#hole, this.#hole);
    } else {
      this.#path.focus();
    }
  }

  /* Why it was not sent. */
  showProblem(words) {
    this.#problem.textContent = words ?? '';
    this.#problem.hidden = words === null;
  }

  #pressed(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#send();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      this.#onCancel();
    }
  }

  #send() {
    const { fields, problem } = readFields(this.#headers.value);
    const path = this.#path.value.trim();

    if (problem !== null || !path.startsWith('/')) {
      this.showProblem(problem ?? 'A path begins with /');
      return;
    }
    this.showProblem(null);

    const changes = { method: this.#method.value, path, headers: fields };

    if (!this.#bodyField.disabled && this.#bodyIsAnother()) {
      changes.body = this.#bodyField.value;
    }
    this.#onSend(changes);
  }

  /* The captured one is sent, byte for byte, where nothing was changed in it or left out of it. */
  #bodyIsAnother() {
    return this.#hole >= 0 || this.#bodyField.value !== this.#shown;
  }
}
