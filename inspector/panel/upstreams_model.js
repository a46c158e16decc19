/*
 * One job: what an upstream's figures mean, in words: how it stands, what failed, how much is reused.
 * Functions of the API's item alone.
 */

import { NOTHING, count, duration, percent, plural } from './format.js';

const REASONS = {
  resolve: 'name without an address',
  refused: 'refused',
  connect: 'not connected',
  connect_timeout: 'not connected in time',
  tls: 'TLS failed',
  reset: 'closed before it answered',
  reset_within: 'closed within its answer',
  first_byte_timeout: 'no first byte in time',
  idle_timeout: 'silent within its answer',
  total_timeout: 'not finished in time',
  bad_answer: 'broken answer',
  queue_full: 'queue full',
  queue_timeout: 'waited too long for a connection',
  breaker_open: 'refused by the breaker',
};

export function reasonWords(reason) {
  return REASONS[reason] ?? reason.replaceAll('_', ' ');
}

/* How it stands, {word, kind}: kind is 'bad' where it is degraded, 'ok', or '' before it was used. */
export function standing(item) {
  const { state } = item.breaker;

  if (state === 'open') {
    return { word: 'breaker open', kind: 'bad' };
  }
  if (state === 'half_open') {
    return { word: 'being tried', kind: 'bad' };
  }
  if (item.credential.error) {
    return { word: 'credential failed', kind: 'bad' };
  }
  if (item.reachable === false) {
    return { word: 'not reachable', kind: 'bad' };
  }
  return item.opened > 0 ? { word: 'healthy', kind: 'ok' } : { word: 'not used yet', kind: '' };
}

export function isDegraded(item) {
  return standing(item).kind === 'bad';
}

/* The degraded first; else in the order of the settings. */
export function inOrder(items) {
  return [...items.filter(isDegraded), ...items.filter((item) => !isDegraded(item))];
}

/* A share of one, with a digit behind the point where that says more. */
export function share(rate) {
  if (!Number.isFinite(rate)) {
    return NOTHING;
  }
  if (rate >= 0.9 && rate < 1) {
    return `${(Math.floor(rate * 1000) / 10).toFixed(1)} %`; /* 99.96 % is not all of it */
  }
  return `${percent(rate, 1)} %`;
}

export function rateWords(perSecond) {
  if (!Number.isFinite(perSecond)) {
    return NOTHING;
  }
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

export function failureCount(item) {
  return Object.values(item.failures).reduce((sum, each) => sum + each, 0);
}

/* [words, count] of each reason, the most frequent first. */
export function failuresByReason(item) {
  return Object.entries(item.failures)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, times]) => [reasonWords(reason), times]);
}

function inSeconds(seconds) {
  return seconds < 1 ? 'now' : `in ${duration(Math.ceil(seconds) * 1000).replace(/\.\d+ s$/, ' s')}`;
}

/* `now` is the server's time in seconds. What is emphasized stands first. */
export function breakerWords(item, now) {
  const { state, retry_at: retryAt } = item.breaker;

  if (state === 'open') {
    return ['Open', `, tries again ${inSeconds(Math.max(0, retryAt - now))}`];
  }
  if (state === 'half_open') {
    return ['Half open', ', one request at a time tries it'];
  }
  return ['', 'closed'];
}

export function queueWords(item) {
  const { timeout_ms: timeout, waited, waited_ms: waitedMs } = item.queue;
  const past = waited > 0 ? `${count(waited)} waited so far, ${duration(waitedMs / waited)} each` : '';

  if (item.waiting > 0) {
    return ['', `${count(item.waiting)} waiting${timeout > 0 ? `, each for at most ${roundDuration(timeout)}` : ''}`];
  }
  return ['', past === '' ? 'empty' : `empty; ${past}`];
}

/* A duration of settings: 5 s, not 5.00 s. */
function roundDuration(ms) {
  return duration(ms).replace(/\.0+ s$/, ' s');
}

/* Null of a plain one. */
export function tlsWords(item) {
  if (item.tls === null) {
    return null;
  }

  const { handshakes, resumed, version } = item.tls;

  if (handshakes === 0) {
    return ['', 'no handshake yet'];
  }
  return [
    '',
    `${version ?? 'TLS'}, ${plural(handshakes, 'handshake', 'handshakes')}, ${share(resumed / handshakes)} resumed`,
  ];
}

export function credentialWords(item, now) {
  const { kind, expires_at: expiresAt, error } = item.credential;

  if (error) {
    return [kind, `: ${error}`];
  }
  if (kind === 'none') {
    return ['', 'none'];
  }
  if (!Number.isFinite(expiresAt)) {
    return ['', kind];
  }
  return expiresAt <= now
    ? ['expired', `, ${kind}`]
    : [`expires ${inSeconds(expiresAt - now)}`, `, ${kind}`];
}

export function expiredWords(item) {
  return item.expired > 0
    ? ['', `${plural(item.expired, 'connection', 'connections')}, idle or too old`]
    : ['', 'none'];
}
