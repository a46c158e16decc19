/*
 * One job: numbers and times as the words that the panel shows. At most three significant digits, a
 * space before the unit, local time; what is missing reads as a dash.
 */

export const NOTHING = '–';

const two = (number) => String(number).padStart(2, '0');

export function duration(ms) {
  if (!Number.isFinite(ms)) {
    return NOTHING;
  }
  if (ms < 1) {
    return '<1 ms';
  }
  if (ms < 999.5) {
    return `${Math.round(ms)} ms`;
  }
  if (ms < 9995) {
    return `${(ms / 1000).toFixed(2)} s`;
  }
  if (ms < 59950) {
    return `${(ms / 1000).toFixed(1)} s`;
  }

  const seconds = Math.round(ms / 1000);

  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  }
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} m`;
}

/* A duration, or a size, as its figure and its unit. */
export function figure(text) {
  const cut = text.lastIndexOf(' ');

  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + 1)];
}

export function size(bytes) {
  if (!Number.isFinite(bytes)) {
    return NOTHING;
  }
  if (bytes < 1000) {
    return `${bytes} B`;
  }

  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let unit = 0;

  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/* A size of settings, where nothing is rounded away: 256 KiB, not 256.0 KiB. */
export function roundSize(bytes) {
  return size(bytes).replace(/\.0 /, ' ');
}

export function count(number) {
  return Number.isFinite(number) ? number.toLocaleString('en-US') : NOTHING;
}

export function plural(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/* Local time of day; with the date before it where that is not today. */
export function clock(seconds, { millis = true, now = Date.now() } = {}) {
  if (!Number.isFinite(seconds)) {
    return NOTHING;
  }

  const at = new Date(seconds * 1000);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

  if (at.toDateString() !== new Date(now).toDateString()) {
    return `${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
  }
  return millis ? `${time}.${String(at.getMilliseconds()).padStart(3, '0')}` : time;
}

/* The whole time in UTC, for titles and the timing tab. */
export function utc(seconds) {
  return Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString() : NOTHING;
}

/* Where `ms` stands on the panel's one scale: 0 at 1 ms, 1 at 10 s, logarithmic between. */
export function onScale(ms) {
  return Math.min(1, Math.max(0, Math.log10(Math.max(ms, 1)) / 4));
}

export function percent(part, whole) {
  const value = whole > 0 ? (part / whole) * 100 : 0;

  return value > 0 && value < 10 ? value.toFixed(1) : String(Math.round(value));
}

/*
 * Fits a path and its query into `room` characters: the middle of the path gives way, never its last
 * segment; the query shows only where the whole path fits.
 */
export function foldPath(path, query, room) {
  if (path.length <= room) {
    const left = room - path.length;

    if (query.length <= left) {
      return [path, query];
    }
    return [path, left < 4 ? '' : `${query.slice(0, left - 1)}…`];
  }

  const lastSegment = path.lastIndexOf('/', path.length - 2);
  const tail = path.slice(Math.max(lastSegment, path.length - Math.max(room - 6, 1)));
  const lead = path.slice(0, Math.max(1, room - tail.length - 1));

  return [`${lead}…${tail}`, ''];
}

export function shortId(id) {
  return id.length > 20 ? `${id.slice(0, 13)}…${id.slice(-4)}` : id;
}

export function capital(sentence) {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
