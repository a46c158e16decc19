/*
 * One job: the top of the detail: status, method and whole URL; one line of facts; the verdict where
 * something went wrong.
 */

import { button, el, icon, iconButton, linkButton } from './dom.js';
import { capital, clock, duration, plural, shortId, size, utc } from './format.js';
import { durationOf, isFailed, isLive } from './model.js';
import { layout } from './layout.js';
import { withLocks } from './redaction.js';
import { chip, methodMark, statusMark } from './row.js';
import { verdictOf } from './verdict.js';

/* What can be done with an exchange: Replay stands out where it failed. */
export function actionButtons(row, { onReplay, onEdit, onCurl }) {
  return el(
    'div',
    { class: 'actions' },
    button('Replay', onReplay, {
      kind: isFailed(row) ? 'primary' : '',
      symbol: 'replay',
      key: 'r',
      'aria-keyshortcuts': 'r',
      'data-act': 'replay',
    }),
    button('Edit & replay', onEdit, {
      symbol: 'edit',
      key: 'e',
      'aria-keyshortcuts': 'e',
      'data-act': 'edit',
    }),
    button('Copy as curl', onCurl, {
      symbol: 'copy',
      key: 'c',
      'aria-keyshortcuts': 'c',
      'data-act': 'curl',
    }),
  );
}

const STREAM = { word: 'SSE', kind: '', title: 'Server-Sent Events' };
const ICONS = { bad: 'alert', warn: 'alert', info: 'cut' };

function line(row, stream, onClose) {
  const narrow = layout.narrow;

  return el(
    'div',
    { class: 'detail-line' },
    narrow && iconButton('Back to the list', 'back', onClose, { 'data-act': 'close' }),
    statusMark(row),
    el(
      'div',
      { class: 'detail-url' },
      methodMark(row.method),
      row.path,
      el('span', { class: 'path-query' }, withLocks(row.query)),
      stream && [' ', chip(STREAM)],
    ),
    !narrow &&
      iconButton('Close the detail', 'close', onClose, {
        'data-act': 'close',
        'aria-keyshortcuts': 'Escape',
      }),
  );
}

function facts(row, record, notices) {
  const bytes = `in ${size(row.requestSize)} · out ${size(row.responseSize)}`;
  const connection = row.reused ? ', reused' : ', fresh connection';
  const upstream =
    row.upstream !== '' &&
    el(
      'span',
      {},
      'upstream ',
      el('b', {}, row.upstream),
      !isLive(row) && connection, /* known at the end */
    );

  return el(
    'div',
    { class: 'detail-facts' },
    el('span', {}, el('b', { class: 'detail-duration' }, duration(durationOf(row)))),
    el('span', { title: utc(row.ts) }, clock(row.ts)),
    row.caller !== '' && el('span', {}, row.caller),
    upstream,
    el('span', {}, bytes),
    row.requestId !== '' &&
      linkButton(
        shortId(row.requestId),
        () => notices.copy(row.requestId, 'the request ID'),
        {
          class: 'link quiet-link mono',
          title: `${row.requestId}\nCopy the request ID`,
          'data-act': 'id',
        },
      ),
  );
}

/* How many bytes are there of a body that was cut; null while the record has not come. */
function keptOf(row, record) {
  const side = row.responseCut ? 'response' : 'request';
  const body = record?.[`${side}_body`];

  if (typeof body !== 'string') {
    return null;
  }
  return record[`${side}_body_encoding`] === 'base64'
    ? Math.floor((body.replace(/=+$/, '').length * 3) / 4)
    : new TextEncoder().encode(body).length;
}

function verdictBox(row, record, { countLike, onLike }) {
  const verdict = verdictOf(row, row.responseCut || row.requestCut ? keptOf(row, record) : null);
  const others = verdict !== null && verdict.tone !== 'info' ? countLike(row) : 0;

  if (verdict === null) {
    return null;
  }
  return el(
    'div',
    { class: `verdict ${verdict.tone}`, role: 'note' },
    icon(ICONS[verdict.tone]),
    el('b', {}, capital(verdict.title)),
    el(
      'p',
      {},
      verdict.text,
      others > 0 && [
        ' ',
        linkButton(`${plural(others, 'other', 'others')} like this`, () => onLike(row), {
          'data-act': 'like',
        }),
      ],
    ),
  );
}

/*
 * The nodes, from top to bottom. `record` is null until it has come; `actions` stand here where the tabs
 * have no room for them; `replay` is what is to be said of one, or null.
 */
export function detailHead(row, { record, stream, tools, actions, replay }) {
  const nodes = [
    el(
      'div',
      { class: 'detail-head' },
      line(row, stream, tools.onClose),
      facts(row, record, tools.notices),
      layout.narrow && actions,
    ),
    verdictBox(row, record, tools),
    replay,
  ];

  return nodes.filter(Boolean);
}
