/*
 * One job: the sentence that opens a failed exchange: who failed, after how long, and what the proxy
 * did about it. The proxy's own answers say "Sightglass answered"; the upstream's "from upstream".
 */

import { capital, duration, roundSize, size } from './format.js';
import { isCut, isIdempotent } from './model.js';

function triedAgain(row) {
  if (row.attempts > 1) {
    return ` It was sent ${row.attempts} times.`;
  }
  if (!isIdempotent(row.method)) {
    return ` It did not try again: ${row.method} may have taken effect.`;
  }
  return '';
}

function upstreamName(row) {
  return row.upstream === '' ? 'The upstream' : `Upstream ${row.upstream}`;
}

/* What the client saw where the upstream failed. */
function consequence(row) {
  const after = `after ${duration(row.duration)}`;

  if (row.status >= 500) {
    return `Sightglass answered ${row.status} ${after}.${triedAgain(row)}`;
  }
  if (row.status > 0) {
    return (
      `The status ${row.status} and ${size(row.responseSize)} had gone out; Sightglass broke the ` +
      `client's connection ${after}, so that the answer does not look complete.`
    );
  }
  return `No answer went out; it ended ${after}.${triedAgain(row)}`;
}

function upstreamFailed(row) {
  return {
    tone: 'bad',
    title: capital(row.error || `${upstreamName(row)} failed before its answer was complete`),
    text: consequence(row),
  };
}

function timedOut(row) {
  return {
    tone: 'bad',
    title: capital(row.error || `${upstreamName(row)} did not answer in time`),
    text: consequence(row),
  };
}

function clientLeft(row) {
  return {
    tone: 'warn',
    title: `The client left after ${duration(row.duration)}`,
    text:
      row.status > 0
        ? `The status ${row.status} and ${size(row.responseSize)} had gone out; ` +
          'the upstream exchange was cancelled.'
        : 'No status had gone out; the upstream exchange was cancelled.',
  };
}

function refused(row) {
  const tone = row.status >= 500 ? 'bad' : 'warn';

  if (row.error !== '' || row.upstream === '') {
    return {
      tone,
      title: capital(row.error || `Sightglass refused the request`),
      text: `Sightglass answered ${row.status} after ${duration(row.duration)}.`,
    };
  }
  return {
    tone,
    title: `${row.status} from upstream ${row.upstream}`,
    text: 'The upstream answered; Sightglass passed it on unchanged.',
  };
}

function cut(row, kept) {
  const [whole, whom] = row.responseCut
    ? [row.responseSize, 'the client']
    : [row.requestSize, 'the upstream'];
  const part = kept === null ? 'A part' : roundSize(kept);

  return {
    tone: 'info',
    title: 'Body kept in part',
    text: `${part} of ${roundSize(whole)} ${kept === null ? 'is' : 'are'} kept here; ${whom} got all of it.`,
  };
}

/*
 * {tone: 'bad' | 'warn' | 'info', title, text}, or null of what went as it should. `kept` is how many
 * bytes of a body that was cut are there, null while that is not known.
 */
export function verdictOf(row, kept = null) {
  switch (row.state) {
  case 'upstream_failed':
    return upstreamFailed(row);
  case 'timed_out':
    return timedOut(row);
  case 'client_aborted':
    return clientLeft(row);
  case 'active':
    return null;
  default:
  }
  if (row.status === 0) {
    return row.poll ? null : upstreamFailed(row);
  }
  if (row.status >= 400) {
    return refused(row);
  }
  return isCut(row) ? cut(row, kept) : null;
}
