/*
 * One job: the table of advice: what would make a poll cheaper, in the words of settings that exist, and
 * what it would have saved, counted from the calls that were seen. A setting joins by one entry here.
 *
 * An entry is of(poll, context) -> null, or {setting, saves, why, form, code}:
 *   setting   as it is written, for the chip
 *   saves     {calls, bytes, records, ms}: what the window would have cost less; absent = 0
 *   why       two sentences: what was seen, and what the setting does about it
 *   form      'yaml' for settings of Sightglass, 'field' for what the API would send
 *   code      to copy
 * `context` is {fieldsOf(poll), upstreams}: `fieldsOf` gives the response fields of the poll's newest
 * record as a Map of lower-case names, or null where no record is kept.
 */

import { byUrl, endOf } from './poll_groups.js';
import { count, duration, percent, plural, roundSize, size } from './format.js';
import { durationOf, isLive } from './model.js';

const MOSTLY = 0.5; /* from here on answers may be kept for one period */
const NEARLY_ALL = 0.9;
const SOME = 0.05;
const LONGEST_AGE_S = 60;
const PERIODS_OF_A_CONSTANT = 6;
const LEAST_FOR_A_CONSTANT = 6; /* answers that were all the same */
const LEAST_BYTES = 1024; /* below that an ETag saves nothing worth a word */
const OFTEN = ['', 'once', 'twos', 'threes', 'fours', 'fives', 'sixes', 'sevens', 'eights'];

const share = (part, whole) => `${percent(part, whole)} %`;
const every = ({ every: seconds }) => `${seconds.toFixed(1)} s`;

/* --- what all entries ask */

const isConstant = (poll) => poll.compared >= LEAST_FOR_A_CONSTANT && poll.unchanged === poll.compared;

/* The path up to its first identifier: what a route's prefix can say. */
export function prefixOf(path) {
  const at = path.indexOf('/{');

  return at < 0 ? path : path.slice(0, at) || '/';
}

function routeYaml(poll, lines) {
  return ['routes:', `  - prefix: ${prefixOf(poll.path)}`, '    methods: [GET, HEAD]', ...lines.map((line) => `    ${line}`)].join('\n');
}

/*
 * How many calls would not have been made were each answer kept for `age` seconds by those who ask: a
 * call that begins while one is on its way, or while its answer is fresh, is answered from that one.
 */
export function callsSavedBy(calls, age) {
  let saved = 0;

  for (const same of byUrl(calls)) {
    const freshUntil = new Map(); /* by client: where the log does not say, they count as one */

    for (const row of same) {
      const client = row.poll ? '' : row.caller;

      if (row.ts < (freshUntil.get(client) ?? -Infinity)) {
        saved += 1;
      } else {
        freshUntil.set(client, endOf(row) + age);
      }
    }
  }
  return saved;
}

/* --- the entries */

/* How long an answer may be kept: a constant for some periods, else for one at most. */
function ageFor(poll) {
  if (isConstant(poll)) {
    return Math.min(LONGEST_AGE_S, Math.max(1, Math.round(poll.every * PERIODS_OF_A_CONSTANT)));
  }

  const overlaps = poll.overlapping / poll.calls.length >= SOME;
  const shared = poll.together > 1 || overlaps;
  const fits = poll.unchangedRate >= MOSTLY || (Number.isNaN(poll.unchangedRate) && overlaps);

  return shared && fits ? Math.max(1, Math.floor(poll.every + 0.05)) : 0;
}

function seenOf(poll) {
  const said = [];

  if (isConstant(poll)) {
    said.push(`it never changed: ${count(poll.unchanged)} of ${count(poll.compared)} answers were byte for byte the one before`);
  } else if (poll.unchangedRate >= MOSTLY) {
    said.push(`${share(poll.unchanged, poll.compared)} of the answers are byte for byte the previous one`);
  }
  if (poll.overlapping / poll.calls.length >= SOME) {
    said.push(`it overlaps itself: ${count(poll.overlapping)} of ${count(poll.calls.length)} calls began while the same call was still in flight`);
  } else if (poll.together > 1) {
    said.push(`the calls come in ${OFTEN[poll.together]}, every ${every(poll)}`);
  }

  const words = said.reverse().join(', and ');

  return words.charAt(0).toUpperCase() + words.slice(1);
}

function cacheControl(poll, { fieldsOf }) {
  const sent = fieldsOf(poll)?.get('cache-control') ?? '';
  const age = ageFor(poll);
  const calls = age > 0 && !/max-age=[1-9]/i.test(sent) ? callsSavedBy(poll.calls, age) : 0;

  if (calls === 0) {
    return null;
  }

  /* The log has no callers: there one browser may make all the calls, or several. */
  const least = poll.kept < poll.calls.length ? 'at least ' : '';

  return {
    setting: `Cache-Control: max-age=${age}`,
    saves: { calls },
    why:
      `${seenOf(poll)}. An answer that its browser may keep for ${age} s is asked for once, which leaves ${least}` +
      `${count(poll.calls.length - calls)} of ${count(poll.calls.length)} calls; private keeps it from being ` +
      `shared between users${/no-store/i.test(sent) ? ', and it takes the place of no-store' : ''}.`,
    form: 'field',
    code: `Cache-Control: private, max-age=${age}`,
  };
}

function etag(poll, { fieldsOf }) {
  const answered = poll.calls.filter((row) => !isLive(row) && row.status === 200);
  const has = fieldsOf(poll)?.has('etag') || poll.calls.some(({ status }) => status === 304);
  const again = Math.min(
    Math.round(answered.length * (poll.unchangedRate || 0)),
    answered.length - poll.urls.length, /* the first of each URL repeats none */
  );
  const all = answered.reduce((sum, row) => sum + row.responseSize, 0);
  const bytes = answered.length > 0 ? Math.round((all * again) / answered.length) : 0;

  if (has || poll.unchangedRate < MOSTLY || again < 2 || bytes < LEAST_BYTES) {
    return null;
  }
  return {
    setting: 'ETag',
    saves: { bytes },
    why:
      `${count(again)} of ${count(answered.length)} answers repeat the one before. With an ETag the browser asks ` +
      `whether its copy still holds, and those become 304 without a body: ${size(bytes)} less, the same calls upstream.`,
    form: 'field',
    code: 'ETag: "a hash of the body"',
  };
}

function rowOnly(poll) {
  if (poll.kept < LEAST_FOR_A_CONSTANT || !(poll.unchangedRate >= NEARLY_ALL)) {
    return null;
  }

  const prefix = prefixOf(poll.path);

  return {
    setting: 'capture: row',
    saves: { records: poll.kept },
    why:
      `${share(poll.unchanged, poll.compared)} of its answers say nothing new, and ${count(poll.kept)} of them ` +
      `took a place in the ring. Keeping only their rows, as --exclude-get ${prefix} does too, leaves those places ` +
      'to what changes something; it holds for all reads below the prefix.',
    form: 'yaml',
    code: routeYaml(poll, ['capture: row']),
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);

  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/* A setting's duration: whole seconds. */
const settingSeconds = (ms) => `${Math.ceil(ms / 1000)}s`;

function totalTimeout(poll) {
  const took = poll.calls.filter((row) => !isLive(row)).map((row) => durationOf(row));
  const limit = Math.ceil(Math.max(poll.every * 1000, 3 * median(took), 1000) / 1000) * 1000;
  const long = took.filter((ms) => ms > limit);
  const ms = long.reduce((sum, each) => sum + each - limit, 0);

  if (long.length === 0 || long.length / took.length > 0.2) {
    return null; /* where it is often so, a limit would only fail the calls */
  }
  return {
    setting: `timeouts: {total: ${settingSeconds(limit)}}`,
    saves: { ms },
    why:
      `${plural(long.length, 'call', 'calls')} took longer than ${duration(limit).replace('.00', '')}, while half of them ` +
      `end within ${duration(median(took))} and the next one is due after ${every(poll)}. Ended there they had ` +
      `held their connections ${duration(ms)} less.`,
    form: 'yaml',
    code: routeYaml(poll, [`timeouts: {total: ${settingSeconds(limit)}}`]),
  };
}

function poolSize(poll, { upstreams }) {
  const waited = poll.calls.filter((row) => row.phases[0] >= 1);
  const ms = waited.reduce((sum, row) => sum + row.phases[0], 0);
  const upstream = upstreams?.find(({ name }) => name === poll.upstream);

  if (!upstream || waited.length / poll.calls.length < SOME || ms < 0.05 * poll.upstreamMs) {
    return null;
  }

  const size_ = upstream.max_connections * 2;

  return {
    setting: `pool: {max_connections: ${size_}}`,
    saves: { ms },
    why:
      `${count(waited.length)} of ${count(poll.calls.length)} calls waited for a connection, ${duration(ms)} in all: ` +
      `${upstream.name} has ${count(upstream.max_connections)} at most. With more of them they go out at once.`,
    form: 'yaml',
    code: `upstreams:\n  - name: ${upstream.name}\n    pool: {max_connections: ${size_}}`,
  };
}

export const ADVICE = [cacheControl, etag, rowOnly, totalTimeout, poolSize];

const weight = ({ saves }) => [saves.calls ?? 0, saves.ms ?? 0, saves.bytes ?? 0, saves.records ?? 0];

/* What would help a poll, the best first: calls before time, time before bytes, bytes before places. */
export function adviceFor(poll, context) {
  return ADVICE.map((of) => of(poll, context))
    .filter((each) => each !== null)
    .sort((a, b) => {
      const [left, right] = [weight(a), weight(b)];
      const at = left.findIndex((each, i) => each !== right[i]);

      return at < 0 ? 0 : right[at] - left[at];
    });
}

/* What an advice would have saved, in words, and whether it is calls. */
export function savedWords({ saves }) {
  if (saves.calls > 0) {
    return { words: `−${plural(saves.calls, 'call', 'calls')}`, calls: true };
  }
  if (saves.ms > 0) {
    return { words: `−${duration(saves.ms)}`, calls: false };
  }
  if (saves.bytes > 0) {
    return { words: `−${roundSize(saves.bytes)}`, calls: false };
  }
  return { words: plural(saves.records ?? 0, 'record', 'records'), calls: false };
}

/* --- of an upstream */

/* The most that were in use and waiting at once, of samples as upstreams_feed.js keeps them. */
function peakOf(samples) {
  return samples.reduce((peak, { active, waiting }) => Math.max(peak, active + waiting), 0);
}

function morePool(item, samples) {
  const waited = samples.filter(({ waiting }) => waiting > 0).length;
  const peak = peakOf(samples);

  if (waited === 0 || peak <= item.max_connections) {
    return null;
  }

  const enough = Math.ceil(peak / 10) * 10;

  return {
    setting: `pool: {max_connections: ${enough}}`,
    why: `up to ${count(peak)} were wanted at once, of ${count(item.max_connections)} allowed`,
  };
}

function laterFirstByte(item, rows) {
  const own = rows.filter((row) => row.upstream === item.name && !isLive(row));
  const late = own.filter((row) => row.state === 'timed_out' && /first byte|first-byte/i.test(row.error));

  if (late.length === 0) {
    return null;
  }

  const limit = median(late.map((row) => row.phases[4] || durationOf(row)));
  const others = own.filter((row) => row.status > 0 && row.status < 500).map((row) => row.phases[4]).sort((a, b) => a - b);
  const p95 = others[Math.ceil(0.95 * others.length) - 1] ?? NaN;
  const seen = Number.isFinite(p95) ? `${duration(p95)} to the first byte at p95` : `${plural(late.length, 'call', 'calls')} without a first byte`;

  return {
    setting: `timeouts: {first_byte: ${settingSeconds(limit * 2)}}`,
    why: `${seen}; the limit is ${duration(Math.round(limit / 1000) * 1000).replace(/\.0+ s$/, ' s')}`,
  };
}

/* {setting, why}, or null; the pool first, since waiting for it is not the upstream's doing. */
export function upstreamAdvice(item, { samples, rows }) {
  return morePool(item, samples) ?? laterFirstByte(item, rows);
}
