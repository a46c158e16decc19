/*
 * One job: speak to the inspector's API. Every address is relative to the document, so that the panel
 * works under any prefix. A refusal becomes an ApiError with the words of its problem+json.
 */

const TIMEOUT_MS = 10000;

export class ApiError extends Error {
  /* `status` is 0 where there was no answer at all. */
  constructor(status, message) {
    super(message);
    this.status = status;
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

async function call(path, { method = 'GET', signal } = {}) {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  let response;

  try {
    response = await fetch(path, {
      method,
      cache: 'no-store',
      credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new ApiError(0, limit.aborted ? 'no answer within 10 s' : 'no connection');
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
