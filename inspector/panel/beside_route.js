/*
 * One job: an exchange's duration beside what its route usually takes, on the panel's one scale.
 */

import { drawn, el } from './dom.js';
import { count, duration, onScale } from './format.js';

const MIDDLE = 20;
const WORDS = 38;
const at = (ms) => `${(onScale(ms) * 100).toFixed(2)}%`;

function timesWords(ms, p50) {
  const times = ms / p50;

  if (times > 0.95 && times < 1.05) {
    return "As long as the route's p50";
  }
  return `${times >= 9.5 ? Math.round(times) : times.toFixed(1)} times the route's p50`;
}

/* The words below the points keep apart: those that would meet the one before them are left out. */
function labels(points) {
  let last = -1;

  return points.map(([name, ms]) => {
    const place = onScale(ms);
    const near = last >= 0 && place - last < 0.14;

    last = near ? last : place;
    return (
      !near &&
      drawn(
        'text',
        { x: at(ms), y: WORDS, 'text-anchor': place > 0.85 ? 'end' : place < 0.1 ? 'start' : 'middle' },
        `${name} ${duration(ms)}`,
      )
    );
  });
}

/* `item` is the route's statistics; null where they say nothing of it. */
export function besideRoute(ms, item) {
  if (!item || item.count < 2 || !Number.isFinite(item.p50) || item.streams) {
    return null;
  }

  const points = [
    ['p50', item.p50],
    ['p95', item.p95],
    ['p99', item.p99],
  ];
  const own = onScale(ms);

  return el(
    'div',
    { class: 'beside' },
    el('b', {}, timesWords(ms, item.p50)),
    el('span', { class: 'muted' }, `  over ${count(item.count)} exchanges since the start`),
    drawn(
      'svg',
      {
        role: 'img',
        'aria-label':
          `This exchange took ${duration(ms)}; the route's p50 is ${duration(item.p50)}, ` +
          `p95 ${duration(item.p95)}, p99 ${duration(item.p99)}.`,
      },
      drawn('line', { class: 'beside-base', x1: 0, x2: '100%', y1: MIDDLE, y2: MIDDLE }),
      drawn('line', { class: 'beside-range', x1: at(item.p50), x2: at(item.p99), y1: MIDDLE, y2: MIDDLE }),
      points.map(([, each]) => drawn('circle', { cx: at(each), cy: MIDDLE, r: 4 })),
      labels(points),
      drawn('circle', { class: 'this-one', cx: at(ms), cy: MIDDLE, r: 7 }),
      drawn(
        'text',
        { class: 'this-word', x: at(ms), y: 8, 'text-anchor': own > 0.9 ? 'end' : own < 0.1 ? 'start' : 'middle' },
        'this one',
      ),
    ),
  );
}
