/*
 * One job: the panel's state in the page's address, as `#view?name=value&...`, so that a link shows
 * what its sender saw and Back closes what was opened last.
 */

/* Leaves readable what may stand in a fragment. */
function encode(value) {
  return encodeURIComponent(value)
    .replace(/%2F/g, '/')
    .replace(/%3A/g, ':')
    .replace(/%2C/g, ',')
    .replace(/%3D/g, '=')
    .replace(/%20/g, '+');
}

export function readAddress() {
  const [view, query = ''] = location.hash.slice(1).split(/\?(.*)/s);

  return { view, parameters: new URLSearchParams(query) };
}

/* The fragment of an address, for links too. */
export function hashOf(view, parameters) {
  const query = Object.entries(parameters)
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join('&');

  return `#${view}${query === '' ? '' : `?${query}`}`;
}

/* `push` makes a step in the history that Back undoes. */
export function writeAddress(view, parameters, { push = false } = {}) {
  const hash = hashOf(view, parameters);

  if (hash === location.hash) {
    return;
  }
  if (push) {
    history.pushState(null, '', hash);
  } else {
    history.replaceState(null, '', hash);
  }
}
