/*
 * One job: a curve of how many connections were in use over the last five minutes, and a stroke
 * wherever somebody waited for one.
 */

import { el } from './dom.js';
import { count } from './format.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 300; /* one a second */
const HEIGHT = 40;
const HEADROOM = 2;
const GAP_S = 12; /* further apart, two samples are not joined: nobody looked in between */

function shape(name) {
  const path = document.createElementNS(SVG, 'path');

  path.setAttribute('class', name);
  return path;
}

const digits = (number) => number.toFixed(1);

/* The two shapes' outlines: {area, strokes}, in a box of 300 by 40. `top` is the highest value. */
export function outlines(samples, top) {
  const end = samples.at(-1)?.at ?? 0;
  const x = ({ at }) => WIDTH - Math.min(WIDTH, end - at);
  const y = (value) => HEIGHT - (value / top) * (HEIGHT - HEADROOM);
  let area = '';
  let strokes = '';

  samples.forEach((sample, i) => {
    const before = samples[i - 1];
    const after = samples[i + 1];

    if (!before || sample.at - before.at > GAP_S) {
      area += `M${digits(x(sample))} ${HEIGHT}`;
    }
    area += `L${digits(x(sample))} ${digits(y(sample.active))}`;
    if (!after || after.at - sample.at > GAP_S) {
      area += `L${digits(x(sample))} ${HEIGHT}Z`;
    }
    if (sample.waiting > 0) {
      strokes += `M${digits(x(sample))} ${HEIGHT}V${digits(y(sample.waiting))}`;
    }
  });
  return { area, strokes };
}

export class UpstreamHistory {
  #picture = document.createElementNS(SVG, 'svg');
  #area = shape('history-active');
  #strokes = shape('history-waiting');
  #top = el('span');

  constructor() {
    this.#picture.setAttribute('class', 'history-picture');
    this.#picture.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.#picture.setAttribute('preserveAspectRatio', 'none');
    this.#picture.setAttribute('role', 'img');
    this.#picture.append(this.#area, this.#strokes);
    this.element = el(
      'div',
      { class: 'history' },
      this.#picture,
      el(
        'div',
        { class: 'history-words', 'aria-hidden': 'true' },
        el('span', {}, 'active and waiting, last 5 min'),
        this.#top,
      ),
    );
  }

  show(samples) {
    const highest = Math.max(0, ...samples.map(({ active, waiting }) => Math.max(active, waiting)));
    const waited = Math.max(0, ...samples.map(({ waiting }) => waiting));
    const { area, strokes } = outlines(samples, Math.max(highest, 1));

    this.#area.setAttribute('d', area);
    this.#strokes.setAttribute('d', strokes);
    this.#top.textContent = `top ${count(highest)}`;
    this.#picture.setAttribute(
      'aria-label',
      `Over the last 5 minutes at most ${count(highest)} active, ${count(waited)} waiting`,
    );
  }
}
