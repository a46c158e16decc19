/*
 * One job: what stands in the detail's head of a replay: the question before it, its answer beside the
 * original's, or why there is none.
 */

import { button, el, icon, linkButton } from './dom.js';
import { duration, size } from './format.js';
import { durationOf } from './model.js';
import { statusMark } from './row.js';

function sideOf(word, row, ...more) {
  return el(
    'div',
    {},
    el('span', { class: 'muted' }, word),
    statusMark(row),
    duration(durationOf(row)),
    el('span', { class: 'muted' }, size(row.responseSize)),
    more,
  );
}

function question(row, { onSend, onCancel }) {
  const send = button('Send', onSend, { kind: 'primary', key: '↵', 'data-act': 'send-again' });

  queueMicrotask(() => send.focus()); /* so that Enter sends, once it stands in the page */

  return el(
    'div',
    { class: 'detail-ask', role: 'alertdialog', 'aria-label': `${row.method} again?` },
    el('b', {}, `${row.method} again? Enter sends`),
    send,
    button('Cancel', onCancel, { key: 'Esc', 'data-act': 'cancel-send' }),
  );
}

function refusal(problem, { onEdit }) {
  return el(
    'div',
    { class: 'verdict warn', role: 'alert' },
    icon('lock'),
    el('b', {}, 'This request cannot be sent again as it was'),
    el(
      'p',
      {},
      `${problem.replace(/\.$/, '')}. `,
      linkButton('Edit & replay', onEdit, { 'data-act': 'edit-refused' }),
    ),
  );
}

function failure(problem) {
  return el(
    'div',
    { class: 'verdict bad', role: 'alert' },
    icon('alert'),
    el('b', {}, 'It was not sent again'),
    el('p', {}, problem),
  );
}

/* `replay` as replay.js has it; `actions` {onSend, onCancel, onEdit, onCompare, onOpen, comparing}. */
export function replayBox(replay, original, actions) {
  switch (replay.state) {
  case 'asking':
    return question(original, actions);
  case 'refused':
    return refusal(replay.problem, actions);
  case 'failed':
    return failure(replay.problem);
  case 'sending':
    return el(
      'div',
      { class: 'replayed' },
      sideOf('Original', original),
      el('div', {}, el('span', { class: 'muted' }, 'Replay'), 'sent; no answer yet'),
    );
  case 'done':
    return el(
      'div',
      { class: 'replayed' },
      sideOf('Original', original),
      sideOf(
        'Replay',
        replay.row,
        replay.record !== null &&
          linkButton(actions.comparing ? 'Back to the exchange' : 'Compare answers', actions.onCompare, {
            'data-act': 'compare',
          }),
        linkButton('Open it', actions.onOpen, { 'data-act': 'open-replay' }),
      ),
    );
  default:
    return null;
  }
}
