/*
 * One job: read what api/compare answers, and say what changed: per route and over all, as figures and
 * as Markdown. No DOM, no requests.
 *
 * The two periods are made rates, so that periods of unequal length compare. Read are, of each route
 * and of the total, {requests, upstream_calls, mean_ms, errors} `before` and `after`.
 */

import { NOTHING, duration, percent } from './format.js';

const SAME = 5; /* percent: below it nothing is said to have changed */

const first = (...values) => values.find((value) => Number.isFinite(value)) ?? NaN;

/* Counts of one period of one route. */
function toCounts(part, seconds) {
  if (!part) {
    return { requests: 0, calls: 0, mean: NaN, errors: 0, perMinute: 0 };
  }

  const requests = first(part.requests, part.count, 0);
  const calls = first(part.upstream_calls, requests);

  return {
    requests,
    calls,
    mean: requests > 0 ? first(part.mean_ms) : NaN,
    errors: first(part.errors, part.failed, 0),
    perMinute: first(part.upstream_calls_per_minute, seconds > 0 ? (calls / seconds) * 60 : NaN),
  };
}

function secondsOf(period) {
  return first(period?.seconds, period?.duration_s, period?.duration_ms / 1000);
}

function sumOf(items, side) {
  const sum = { requests: 0, calls: 0, errors: 0, perMinute: 0, busy: 0 };

  for (const item of items) {
    const counts = item[side];

    sum.requests += counts.requests;
    sum.calls += counts.calls;
    sum.errors += counts.errors;
    sum.perMinute += counts.perMinute || 0;
    sum.busy += (counts.mean || 0) * counts.requests;
  }
  return { ...sum, mean: sum.requests > 0 ? sum.busy / sum.requests : NaN };
}

/* {before: {seconds}, after: {seconds}, total, items}, of whichever of its members the answer has. */
export function toComparison(answer) {
  const seconds = {
    before: secondsOf(answer.before ?? answer.from),
    after: secondsOf(answer.after ?? answer.to),
  };
  const items = (answer.items ?? answer.routes ?? []).map((item) => ({
    method: item.method ?? '',
    path: item.path ?? item.route ?? 'other',
    before: toCounts(item.before ?? item.from, seconds.before),
    after: toCounts(item.after ?? item.to, seconds.after),
  }));

  return {
    seconds,
    items: items
      .filter(({ before, after }) => before.requests > 0 || after.requests > 0)
      .sort((a, b) => weight(b) - weight(a)),
    total: { before: sumOf(items, 'before'), after: sumOf(items, 'after') },
  };
}

/* What changed most stands first. */
function weight({ before, after }) {
  const change = Math.abs(after.perMinute - before.perMinute);

  return Number.isFinite(change) ? change : 0;
}

/* In percent; null where there was nothing before. */
export function changeOf(before, after) {
  return before > 0 && Number.isFinite(after) ? ((after - before) / before) * 100 : null;
}

/* {word, tone}: less is good, more is worse, a little of either is the same. */
export function changeWords(before, after) {
  const change = changeOf(before, after);

  if (change === null) {
    return { word: after > 0 ? 'new' : NOTHING, tone: 'nil', change: 0 };
  }
  if (Math.abs(change) < SAME) {
    return { word: 'same', tone: 'nil', change: 0 };
  }
  if (!(after > 0)) {
    return { word: 'gone', tone: 'nil', change: -100 };
  }
  return {
    word: `${change < 0 ? '−' : '+'}${Math.round(Math.abs(change))} %`,
    tone: change < 0 ? 'good' : 'worse',
    change,
  };
}

export function rate(perMinute) {
  return perMinute > 0 ? perMinute.toFixed(1) : NOTHING;
}

export function perRequest({ requests, calls }) {
  return requests > 0 ? (calls / requests).toFixed(2) : NOTHING;
}

export function errorShare({ requests, errors }) {
  return requests > 0 ? `${percent(errors, requests)} %` : NOTHING;
}

function markdownRow(name, { before, after }) {
  const cells = [
    name,
    rate(before.perMinute),
    rate(after.perMinute),
    changeWords(before.perMinute, after.perMinute).word,
    perRequest(before),
    perRequest(after),
    duration(before.mean),
    duration(after.mean),
    changeWords(before.mean, after.mean).word,
  ];

  return `| ${cells.join(' | ')} |`;
}

/* A code span in a cell: nothing in a path may end either. */
function codeCell(text) {
  return `\`${text.replace(/`/g, "'").replace(/\|/g, '\\|')}\``;
}

/* The same table, for a pull request. */
export function toMarkdown({ items, total }, fromName, toName) {
  return [
    `Upstream calls a minute and mean latency, ${codeCell(fromName)} to ${codeCell(toName)}:`,
    '',
    '| Route | Calls/min before | after | change | Calls/request before | after | Mean before | after | change |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|',
    markdownRow('**All routes**', total),
    ...items.map((item) => markdownRow(codeCell(`${item.method} ${item.path}`.trim()), item)),
    '',
  ].join('\n');
}
