/*
 * One job: one side of an exchange: its body first, its headers after, and what is to be said about
 * what was not kept as it was. It is filled again only where the record says something new, so that
 * what was unfolded or scrolled stays while an exchange still runs.
 */

import { bodyPath } from './api.js';
import { readBody } from './body.js';
import { hexView, pictureType, pictureView, textView } from './body_views.js';
import { el, linkButton } from './dom.js';
import { plural, roundSize, size } from './format.js';
import { readJson } from './json_reader.js';
import { jsonTree } from './json_tree.js';
import { hasMessages, messageNodes } from './messages.js';
import { toRow } from './model.js';
import { pairsTable } from './pairs.js';
import { countRedacted } from './redaction.js';
import { redactedPaths } from './redacted_paths.js';
import { inSlices } from './slices.js';

const FOLD_FROM = 64 * 1024; /* larger JSON opens with its first level only */
const MODES = {
  json: ['Pretty', 'Raw', 'Hex'],
  text: ['Text', 'Hex'],
  picture: ['Picture', 'Hex'],
  binary: ['Hex'],
};
const MESSAGES = 'Messages';
const MIB = 1024 * 1024;

/* What has to differ for the side to be filled again. */
function signature(record, side) {
  return [
    record.seq,
    record.status,
    record.state,
    record[`${side}_size_bytes`],
    (record[`${side}_body`] ?? '').length,
    (record[`${side}_headers`] ?? []).length,
    (record[`${side}_trailers`] ?? []).length,
    side === 'response' ? JSON.stringify(record.messages?.at(-1) ?? null) : '',
  ].join();
}

export class Side {
  #side;
  #title;
  #notices;
  #signature = '';
  #mode = null; /* as chosen; null until then: the first that fits */
  #abort = new AbortController();

  /* `side` is 'request' or 'response'. */
  constructor(side, { notices }) {
    this.#side = side;
    this.#title = side === 'request' ? 'Request' : 'Response';
    this.#notices = notices;
    this.element = el('section', { class: 'side', 'aria-label': this.#title, tabindex: '0' });
  }

  /* Grey bars, for a record that is slow to come. */
  wait() {
    this.#abort.abort();
    this.#signature = '';
    this.element.replaceChildren(
      el('div', { class: 'section-head' }, this.#title),
      [70, 55, 62, 48].map((width) => {
        const bar = el('i', { class: 'skeleton' });

        bar.style.width = `${width}%`;
        return bar;
      }),
    );
  }

  async show(record) {
    const wanted = signature(record, this.#side);

    if (wanted === this.#signature) {
      return;
    }
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#signature = wanted;

    const { signal } = this.#abort;
    const body = readBody(record, this.#side);
    const root = body?.kind === 'json' ? await this.#read(body, signal) : null;

    if (signal.aborted) {
      return;
    }
    if (body?.kind === 'json' && root === null) {
      body.kind = 'text';
    }
    this.#fill(record, body, root);
  }

  async #read(body, signal) {
    try {
      return await inSlices(readJson(body.text, body.cut), signal);
    } catch (error) {
      if (signal.aborted) {
        return null;
      }
      throw error;
    }
  }

  #field(record, name) {
    return record[`${this.#side}_${name}`];
  }

  #fill(record, body, root) {
    const { scrollTop } = this.element;
    const view = el('div', { class: 'body' });
    const talks = this.#side === 'response' && hasMessages(record);
    const modes = [...(talks ? [MESSAGES] : []), ...(body === null ? [] : MODES[body.kind])];
    const showMode = (mode) =>
      view.replaceChildren(
        ...(mode === MESSAGES
          ? messageNodes(record, toRow(record))
          : this.#bodyNodes(body, root, mode)),
      );

    this.element.replaceChildren(
      this.#bodyHead(record, body, modes, showMode),
      view,
      ...this.#notes(record, body, root, talks),
      ...this.#fields(record, 'headers', 'Headers'),
      ...this.#fields(record, 'trailers', 'Trailers'),
    );
    if (modes.length > 0) {
      showMode(modes.includes(this.#mode) ? this.#mode : modes[0]);
    }
    this.element.scrollTop = scrollTop;
  }

  #bodyHead(record, body, modes, showMode) {
    const buttons = modes.map((mode) =>
      linkButton(
        mode,
        () => {
          this.#mode = mode;
          press(mode);
          showMode(mode);
        },
        { 'data-mode': mode },
      ),
    );
    const press = (mode) => {
      for (const each of buttons) {
        each.setAttribute('aria-pressed', each.dataset.mode === mode);
      }
    };

    press(modes.includes(this.#mode) ? this.#mode : modes[0]);
    return el(
      'div',
      { class: 'section-head' },
      el('h3', {}, this.#title),
      el('span', { class: 'muted' }, this.#sizeWords(record)),
      el('span', { class: 'space' }),
      buttons.length > 1 && buttons,
      body?.text && this.#copyButton(body.text, 'the body'),
      body !== null &&
        el(
          'a',
          {
            class: 'link',
            href: bodyPath(record.seq, this.#side),
            download: '',
            title: 'Save the captured bytes',
          },
          'Save',
        ),
    );
  }

  #sizeWords(record) {
    const total = this.#field(record, 'size_bytes');

    if (total > 0) {
      return size(total);
    }
    return this.#awaited(record) ? '' : 'no body';
  }

  /* Whether an answer is still to come. */
  #awaited(record) {
    return this.#side === 'response' && record.state === 'active' && record.status === 0;
  }

  #copyButton(text, what) {
    const run = () => this.#notices.copy(text, what);

    return linkButton('Copy', run, { 'aria-label': `Copy ${what}` });
  }

  #bodyNodes(body, root, mode) {
    switch (mode) {
    case 'Pretty':
      return [jsonTree(root, body.text.length > FOLD_FROM)];
    case 'Picture':
      return pictureView(body.bytes, pictureType(body.bytes));
    case 'Hex':
      return hexView(body.bytes);
    default:
      return textView(body.text);
    }
  }

  #notes(record, body, root, talks) {
    const total = this.#field(record, 'size_bytes') ?? 0;
    const notes = [
      !talks && this.#absentNote(record, body, total),
      body && this.#cutNote(record, body, total),
      body && this.#codingNote(body, total),
      this.#field(record, 'body_note') && `Of this body: ${this.#field(record, 'body_note')}.`,
      this.#redactedNote(record, body, root),
    ];

    return notes.filter(Boolean).map((note) => el('p', { class: 'note-box' }, note));
  }

  #absentNote(record, body, total) {
    if (this.#awaited(record)) {
      return 'No answer yet. This fills in as it arrives.';
    }
    if (body === null && total > 0 && !this.#field(record, 'body_note')) {
      return record.status === 101
        ? `${size(total)} went through the tunnel.`
        : `Its ${size(total)} passed and were not kept.`;
    }
    return null;
  }

  #cutNote(record, body, total) {
    if (body.coding !== '' || !this.#field(record, 'body_truncated')) {
      return null;
    }

    const hash = this.#field(record, 'hash');
    const setting = `--capture-body ${Math.ceil(total / MIB)}MiB`;
    const whole =
      this.#side === 'request' ? 'The upstream got all of it.' : 'The client got all of it.';

    return [
      `The first ${roundSize(body.bytes.length)} of ${roundSize(total)} are kept. `,
      record.state === 'complete' && `${whole} `,
      hash && ['XXH3 of the whole body: ', el('code', { class: 'wraps' }, hash), '. '],
      'To keep more: ',
      el('code', {}, setting),
    ];
  }

  #codingNote(body, total) {
    if (body.coding === '') {
      return null;
    }
    return body.cut
      ? `Shown decoded from ${body.coding}, as far as it is kept of the ${roundSize(total)} that were sent.`
      : `Shown decoded from ${body.coding}; ${roundSize(total)} as it was sent.`;
  }

  #redactedNote(record, body, root) {
    const values = body?.text ? countRedacted(body.text) : 0;
    const fields = redactedFields(this.#field(record, 'headers') ?? []);
    const words = [];

    if (values > 0 || this.#field(record, 'body_redacted')) {
      words.push(values > 0 ? plural(values, 'value', 'values') : 'Parts of the body');
    }
    if (words.length > 0 && fields > 0) {
      words.push(plural(fields, 'header', 'headers'));
    }
    if (words.length === 0) {
      return null;
    }
    return [
      `${words.join(' and ')} ${values + fields === 1 ? 'was' : 'were'} redacted before ${
        values + fields === 1 ? 'it was' : 'they were'
      } shown.`,
      this.#missingWords(root, values),
    ];
  }

  /* What a replay lacks: a body with a hole is not sent again by itself. */
  #missingWords(root, values) {
    const names = this.#side === 'request' && root !== null ? redactedPaths(root) : [];

    if (names.length === 0) {
      return null;
    }
    return [
      ` Replay needs a new value for `,
      names.map((name, i) => [i > 0 && ', ', el('code', { class: 'wraps' }, name)]),
      values > names.length ? ', …' : '.',
    ];
  }

  #fields(record, name, title) {
    const fields = this.#field(record, name) ?? [];
    const redacted = redactedFields(fields);
    const lines = fields.map((field) => `${field.name}: ${field.value}`).join('\r\n');

    if (fields.length === 0) {
      return [];
    }
    return [
      el(
        'div',
        { class: `section-head ${name}` },
        el('h3', {}, title),
        el(
          'span',
          { class: 'muted' },
          fields.length + (redacted > 0 ? ` · ${redacted} redacted` : ''),
        ),
        el('span', { class: 'space' }),
        this.#copyButton(lines, `the ${title.toLowerCase()}`),
      ),
      pairsTable(fields.map((field) => [field.name, field.value])),
    ];
  }
}

function redactedFields(fields) {
  return fields.filter(({ value }) => countRedacted(value) > 0).length;
}
