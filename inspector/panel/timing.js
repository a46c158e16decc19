/*
 * One job: where an exchange's time went: the strip of phases under its head, and the timing tab.
 */

import { besideRoute } from './beside_route.js';
import { el, setStyle } from './dom.js';
import { NOTHING, duration, utc } from './format.js';
import { PHASES, PHASE_NAMES, durationOf, isLive, isRunning, isTunnel } from './model.js';
import { pairsTable } from './pairs.js';

const SEEN_MS = 0.05; /* shorter phases are drawn, not named */
const LEAST_SHARE = 0.004;

/* The parts of an exchange: its phases, and the time since of one that is open. */
function partsOf(row) {
  const known = row.phases.reduce((sum, ms) => sum + ms, 0);
  const total = isLive(row) || isTunnel(row) ? Math.max(durationOf(row), known) : known;
  const parts = PHASES.map((phase, i) => ({
    kind: phase,
    name: PHASE_NAMES[phase],
    ms: row.phases[i],
  }));

  if (total > known) {
    parts.push({
      kind: isTunnel(row) ? 'open-tunnel' : 'open',
      name: row.status > 0 ? 'Open' : 'Waiting',
      ms: total - known,
    });
  }
  return { total, parts };
}

const swatch = (kind) => el('i', { class: `swatch ${kind}` });

export function timingStrip(row) {
  const { total, parts } = partsOf(row);

  if (total <= 0) {
    return null;
  }
  return el(
    'div',
    { class: 'strip' },
    el(
      'div',
      { class: 'strip-bar', 'aria-hidden': 'true' },
      parts
        .filter(({ ms }) => ms > 0)
        .map(({ kind, ms }) => {
          const part = el('i', { class: kind });

          setStyle(part, { flex: `${Math.max(ms / total, LEAST_SHARE)} 1 0` });
          return part;
        }),
    ),
    el(
      'div',
      { class: 'strip-legend' },
      parts
        .filter(({ ms }) => ms >= SEEN_MS)
        .map(({ kind, name, ms }) => el('span', {}, swatch(kind), `${name} ${duration(ms)}`)),
    ),
  );
}

function waterfall(row) {
  const { total, parts } = partsOf(row);
  let at = 0;
  const lines = parts.map(({ kind, name, ms }) => {
    const bar = ms > 0 && el('i', { class: kind });

    if (bar) {
      setStyle(bar, {
        left: `${Math.min(99.4, (at / total) * 100)}%`,
        width: `${Math.max(LEAST_SHARE, ms / total) * 100}%`,
      });
    }
    at += ms;
    return [
      el('span', {}, name),
      el('span', { class: 'waterfall-track' }, bar),
      el('span', { class: ms > 0 ? 'right' : 'right muted' }, ms > 0 ? duration(ms) : NOTHING),
    ];
  });

  return el(
    'div',
    { class: 'waterfall' },
    lines,
    el('span', { class: 'sum' }, 'Total'),
    el('span', { class: 'sum' }),
    el('span', { class: 'sum right' }, duration(durationOf(row))),
  );
}

function connectionWords(record) {
  if (!record.upstream || isRunning(record)) {
    return ''; /* known at the end */
  }
  return record.reused
    ? `reused, idle ${duration(record.idle_ms ?? 0)} before`
    : 'fresh';
}

function protocol(version) {
  return version && !version.startsWith('HTTP/') ? `HTTP/${version}` : version;
}

/* Facts that a record has; what it has not is left out. */
function facts(record) {
  const pairs = [
    ['Started', utc(record.ts)],
    ['First byte', Number.isFinite(record.ttfb_ms) ? duration(record.ttfb_ms) : ''],
    ['Connection', connectionWords(record)],
    ['Attempts', record.attempts > 0 ? String(record.attempts) : ''],
    ['Upstream', record.upstream],
    ['Route', record.route],
    ['Client', [record.client_ip, protocol(record.request_version)].filter(Boolean).join(', ')],
    ['Host', [record.scheme, record.host].filter(Boolean).join('://')],
    ['State', record.state],
    ['Request ID', record.request_id],
    ['Trace', record.trace_id],
    ['Request XXH3', record.request_hash],
    ['Response XXH3', record.response_hash],
  ];

  return pairs.filter(([, value]) => typeof value === 'string' && value !== '');
}

/* `route` is the statistics of its route, where there are any. */
export function timingTab(row, record, route) {
  return el(
    'div',
    { class: 'timing' },
    waterfall(row),
    !isLive(row) && besideRoute(row.duration, route),
    pairsTable(facts(record)),
  );
}
