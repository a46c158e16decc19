/*
 * One job: speak to the inspector's API. Every address is relative to the document, so that the panel
 * works under any prefix. A refusal becomes an ApiError with the words of its problem+json.
 */

const TIMEOUT_MS = 10000;
const REPLAY_TIMEOUT_MS = 120000; /* it takes as long as the upstream does */

export class ApiError extends Error {
  /* `status` is 0 where there was no answer at all. */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /* Why something was not done, as one sentence. */
  get words() {
    return this.status === 0
      ? `There was ${this.message}.`
      : `Sightglass answered ${this.status}: ${this.message.replace(/\.$/, '')}.`;
  }

  /* Whether the row itself may not be there: an older Sightglass has fewer. */
  get absent() {
    return this.status === 404 || this.status === 405 || this.status === 501;
  }
}

async function refusal(response) {
  let words = '';

  try {
    const problem = await response.json();

    words = problem.detail || problem.title || '';
  } catch {
    /* not a problem document: the status has to do */
  }
  return new ApiError(response.status, words || `Sightglass answered ${response.status}`);
}

async function call(path, { method = 'GET', body, signal, timeout = TIMEOUT_MS } = {}) {
  const limit = AbortSignal.timeout(timeout);
  let response;

  try {
    response = await fetch(path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      cache: 'no-store',
      credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new ApiError(0, limit.aborted ? `no answer within ${timeout / 1000} s` : 'no connection');
  }
  if (!response.ok) {
    throw await refusal(response);
  }
  return response;
}

async function json(path, options) {
  const response = await call(path, options);

  try {
    return { body: await response.json(), date: Date.parse(response.headers.get('Date')) };
  } catch (error) {
    if (options?.signal?.aborted) {
      throw error;
    }
    throw new ApiError(0, 'an answer that broke off');
  }
}

export function seqId(seq) {
  return `seq:${seq}`;
}

/* `seq:N` stands as it is; a request ID may hold any of the signs that mean something in an URL. */
function recordPath(id) {
  return `api/requests/${/^seq:\d+$/.test(id) ? id : encodeURIComponent(id)}`;
}

/* Where a captured body can be saved from. `side` is 'request' or 'response'. */
export function bodyPath(seq, side) {
  return `${recordPath(seqId(seq))}/${side}-body`;
}

/*
 * One page of summaries, newest first: {items, count, capacity, evicted, next, ...} and, beside it,
 * the server's clock in milliseconds (NaN where it sends none). `query` holds the API's parameters.
 */
export function listRequests(query, signal) {
  return json(`api/requests?${new URLSearchParams(query)}`, { signal });
}

/* How the upstreams stand: {items}. */
export async function listUpstreams() {
  return (await json('api/upstreams')).body;
}

export async function getRecord(id, signal) {
  return (await json(recordPath(id), { signal })).body;
}

export async function clearRequests() {
  await call('api/requests', { method: 'DELETE' });
}

/* The request as a command for a shell. */
export async function getCurl(seq) {
  const response = await call(`${recordPath(seqId(seq))}/curl`);

  return (await response.text()).trim();
}

/*
 * Sends it again and answers the new record's summary. `changes` holds what is to be replaced of
 * {method, path, headers, body}.
 */
export async function replayRequest(seq, changes = {}) {
  const path = `${recordPath(seqId(seq))}/replay`;

  return (await json(path, { method: 'POST', body: changes, timeout: REPLAY_TIMEOUT_MS })).body;
}

export async function setPaused(paused) {
  await call('api/capture', { method: 'POST', body: { paused } });
}

/* Statistics of each route and method: {items}. */
export async function listRoutes() {
  return (await json('api/routes')).body;
}

/* {items: [{name, ts}…]}, the oldest first. A mark ends a period that began with the one before it. */
export async function listMarks() {
  return (await json('api/marks')).body;
}

/* Puts the counters down under a name. */
export async function addMark(name) {
  return (await json('api/marks', { method: 'POST', body: { name } })).body;
}

/* What became of the counters between two marks; without `to`, between one and now. */
export async function compareMarks(from, to) {
  const query = new URLSearchParams(to === '' ? { from } : { from, to });

  return (await json(`api/compare?${query}`)).body;
}

/* The selection as HAR, a Blob. */
export async function getHar(query) {
  const response = await call(`api/har?${new URLSearchParams(query)}`, { timeout: REPLAY_TIMEOUT_MS });

  return response.blob();
}
