/*
 * One job: call the API, and write down each answer in the activity list.
 */
import { record } from './activity.js';
import { authorization } from './token.js';

export class ApiError extends Error {}

function failure(error, answered) {
  if (error.name === 'AbortError') {
    return 'left';
  }
  return answered ? 'cut' : 'none';
}

/*
 * Sends a request and gives what `read` makes of its answer. An answer that is no success, is none
 * or breaks off becomes an ApiError whose words can be shown.
 */
export async function call(method, path, { body, type, signal, poll = false, read } = {}) {
  const began = performance.now();
  const headers = { Authorization: authorization };
  let response = null;
  let id = null;
  const note = (status) => record({ method, path, status, ms: performance.now() - began, id, poll });

  if (type) {
    headers['Content-Type'] = type;
  }
  try {
    response = await fetch(path, { method, headers, body, signal, cache: 'no-store' });
    id = response.headers.get('X-Request-ID');
    const answer = response.ok ? await read(response) : await response.json().catch(() => ({}));

    note(response.status);
    if (!response.ok) {
      throw new ApiError(`${response.status} ${answer.title ?? response.statusText}: ${answer.detail ?? 'no details'}`);
    }
    return answer;
  } catch (error) {
    if (error instanceof ApiError) {
      throw error;
    }
    note(failure(error, response !== null));
    if (error.name === 'AbortError') {
      throw new ApiError('given up');
    }
    throw new ApiError(response === null ? 'no answer' : 'the answer broke off');
  }
}

export const getJson = (path, options) => call('GET', path, { read: (response) => response.json(), ...options });

export function sendJson(method, path, value) {
  return call(method, path, {
    body: JSON.stringify(value),
    type: 'application/json',
    read: (response) => response.json(),
  });
}
