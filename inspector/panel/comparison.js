/*
 * One job: read what api/compare answers, and say what changed: per route and over all, as figures and
 * as Markdown. No DOM, no requests.
 *
 * The answer: {from, to: {name, seconds, total}, items: [{method, path, before, after}…]}, and of a
 * period {count, upstream_calls, upstream_calls_per_minute, mean_ms, errors}. Rates make periods of
 * unequal length comparable.
 */

import { NOTHING, duration, percent } from './format.js';

const SAME = 5; /* percent: below it nothing is said to have changed */

const first = (...values) => values.find((value) => Number.isFinite(value)) ?? NaN;

/* Counts of one period of one route. */
function toCounts(part, seconds) {
  const requests = first(part?.count, 0);
  const calls = first(part?.upstream_calls, requests);

  return {
    requests,
    calls,
    mean: requests > 0 ? first(part.mean_ms) : NaN,
    errors: first(part?.errors),
    perMinute: first(part?.upstream_calls_per_minute, seconds > 0 ? (calls / seconds) * 60 : NaN),
    requestsPerMinute: first(part?.per_minute, seconds > 0 ? (requests / seconds) * 60 : NaN),
  };
}

/* {items, total}: each with `before` and `after`. */
export function toComparison({ from, to, items }) {
  const counts = (before, after) => ({
    before: toCounts(before, from.seconds),
    after: toCounts(after, to.seconds),
  });

  return {
    items: items
      .map((item) => ({ method: item.method, path: item.path, ...counts(item.before, item.after) }))
      .sort((a, b) => weight(b) - weight(a)),
    total: counts(from.total, to.total),
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

/*
 * {word, tone, change}: less is good, more is worse, a little of either is the same, and so is what
 * `show` writes alike.
 */
export function changeWords(before, after, show = String) {
  const change = changeOf(before, after);

  if (change === null) {
    return { word: after > 0 ? 'new' : NOTHING, tone: 'nil', change: 0 };
  }
  if (Math.abs(change) < SAME || show(before) === show(after)) {
    return { word: 'same', tone: 'nil', change: 0 };
  }
  if (!(after > 0)) {
    return { word: 'gone', tone: 'nil', change: 0 };
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
    changeWords(before.perMinute, after.perMinute, rate).word,
    perRequest(before),
    perRequest(after),
    duration(before.mean),
    duration(after.mean),
    changeWords(before.mean, after.mean, duration).word,
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
