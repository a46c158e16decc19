/*
 * One job: two answers compared: what the original got beside what the replay got, fact by fact, then
 * the difference of their bodies.
 */

import { fieldValue, readBody } from './body.js';
import { differenceOf } from './difference.js';
import { el } from './dom.js';
import { NOTHING, count, duration, plural, size } from './format.js';
import { jsonText } from './json_text.js';
import { durationOf, toRow } from './model.js';
import { withLocks } from './redaction.js';
import { statusMark } from './row.js';

/* Fields that differ from one answer to the next by what they are for. */
const OF_EACH = new Set(['date', 'x-request-id', 'age', 'content-length', 'via', 'connection', 'keep-alive']);

function factsRow(name, before, after, differs) {
  const kind = differs ? 'differs' : null;

  return el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, before), el('td', { class: kind }, after));
}

/* Names of response fields that differ, in lower case, those of each answer aside. */
function differingFields(before, after) {
  const names = new Set(
    [...(before.response_headers ?? []), ...(after.response_headers ?? [])].map(({ name }) =>
      name.toLowerCase(),
    ),
  );

  return [...names].filter(
    (name) =>
      !OF_EACH.has(name) &&
      fieldValue(before.response_headers, name) !== fieldValue(after.response_headers, name),
  );
}

function factsTable(before, after) {
  const rows = [toRow(before), toRow(after)];
  const facts = [
    ['Status', ...rows.map(statusMark), rows[0].status !== rows[1].status],
    ['Duration', ...rows.map((row) => duration(durationOf(row))), false],
    [
      'Size',
      ...rows.map((row) => size(row.responseSize)),
      rows[0].responseSize !== rows[1].responseSize,
    ],
    ...differingFields(before, after).map((name) => [
      name,
      ...[before, after].map((record) => {
        const value = fieldValue(record.response_headers, name);

        return value === '' ? NOTHING : withLocks(value);
      }),
      true,
    ]),
  ];

  return el(
    'table',
    { class: 'answers-table' },
    el(
      'thead',
      {},
      el('tr', {}, el('td', {}), el('th', { scope: 'col' }, 'Original'), el('th', { scope: 'col' }, 'Replay')),
    ),
    el('tbody', {}, facts.map((fact) => factsRow(...fact))),
  );
}

async function textOf(record, signal) {
  const body = await readBody(record, 'response');

  if (body === null) {
    return '';
  }
  if (body.text === null) {
    return null;
  }
  return body.kind === 'json' ? jsonText(body.text, body.cut, signal) : body.text;
}

const KINDS = { '−': 'taken', '+': 'given', '…': 'skipped', ' ': null };
const SAID = { '−': 'only in the original', '+': 'only in the replay' };

function differenceBox(lines) {
  return el(
    'div',
    { class: 'difference', tabindex: '0', 'aria-label': 'The difference of the two bodies' },
    lines.map(([sign, line]) =>
      sign === '…'
        ? el('div', { class: 'skipped', 'data-sign': '' }, `${plural(line, 'equal line', 'equal lines')}`)
        : el(
            'div',
            { class: KINDS[sign], 'data-sign': sign },
            SAID[sign] && el('span', { class: 'off-screen' }, `${SAID[sign]}: `),
            withLocks(line),
          ),
    ),
  );
}

function bodyWords(lines) {
  const given = lines.filter(([sign]) => sign === '+').length;
  const taken = lines.filter(([sign]) => sign === '−').length;

  return lines.length === 0 ? 'the same' : `${count(taken)} ${taken === 1 ? 'line' : 'lines'} gone, ${count(given)} new`;
}

/* Both are records. Rejects with the signal's reason where it is aborted. */
export async function answersCompared(before, after, signal) {
  const [first, second] = [await textOf(before, signal), await textOf(after, signal)];
  const binary = first === null || second === null;
  const same = binary
    ? before.response_body === after.response_body
    : first === second;
  const lines = binary ? null : differenceOf(first, second);
  let words = same ? 'the same' : 'they differ';
  let note = null;

  if (binary && !same) {
    note = 'They are not both text, so they are not compared line by line.';
  } else if (lines === null && !same) {
    note = 'They are too long to be compared line by line.';
  } else if (!same) {
    words = bodyWords(lines);
  }
  if (before.response_body_truncated || after.response_body_truncated) {
    note = `${note ?? ''} Compared is what is kept of them.`.trim();
  }
  return el(
    'div',
    { class: 'answers' },
    el('div', { class: 'section-head' }, el('h3', {}, 'Answers compared')),
    factsTable(before, after),
    el('div', { class: 'section-head' }, el('h3', {}, 'Bodies'), el('span', { class: 'muted' }, words)),
    lines !== null && lines.length > 0 && differenceBox(lines),
    note && el('p', { class: 'note-box' }, note),
  );
}
