/*
 * One job: the picture above the table. Each exchange of the last five minutes as a point, by its time
 * and its duration on the panel's one scale, and below them how many came. Draws at most four times a
 * second, at once for the chosen point, never in a hidden tab; each point is a row of the table too.
 */

import { el, setStyle } from './dom.js';
import { count, duration, onScale } from './format.js';
import { durationOf, isFailed, isHard, isLive, isTunnel, statusOf } from './model.js';
import { layout, onSchemeChange } from './layout.js';
import { serverNow } from './server_clock.js';

export const WINDOW_S = 300;
const BINS = 60;
const TICK_MS = 250;
const IDLE_TICKS = 4; /* with nothing new the picture moves on once a second */
const NEAR_PX = 10;
const LINES = [
  [1, '1 ms'],
  [10, '10'],
  [100, '100'],
  [1000, '1 s'],
  [10000, '10 s'],
];
const COLOURS = ['line', 'line-2', 'ink-3', 'surface', 'accent', 'bad', 'warn', 'wait', 'ui'];

/* The plot's measures: points between `top` and `bottom`, bars up to `base`, words below. */
function measures(width, height) {
  const narrow = width < 500;
  const left = narrow ? 38 : 52;
  const bars = narrow ? 14 : 24;
  const words = narrow ? 14 : 18;
  const top = 8;
  const bottom = height - bars - words - 6;

  return { narrow, left, right: width - 12, top, bottom, bars, words, base: bottom + 6 + bars };
}

export class Picture {
  #canvas = el('canvas', { class: 'plot-canvas', role: 'img' });
  #tip = el('div', { class: 'tip', hidden: true });
  #size = { width: 0, height: 0 };
  #colours = null;
  #points = [];
  #rows = [];
  #shown = null;
  #chosen = null;
  #ticks = 0;
  #stale = true;

  /* `onChoose(seq)` is called for a click near a point. */
  constructor({ onChoose }) {
    this.element = el('div', { class: 'plot' }, this.#canvas, this.#tip);
    new ResizeObserver(([entry]) => {
      this.#size = entry.contentRect;
      this.#draw();
    }).observe(this.element);
    onSchemeChange(() => {
      this.#colours = null;
      this.#draw();
    });
    this.#canvas.addEventListener('pointermove', (event) => this.#point(event));
    this.#canvas.addEventListener('pointerleave', () => {
      this.#tip.hidden = true;
    });
    this.#canvas.addEventListener('click', (event) => {
      const near = this.#nearest(event);

      if (near) {
        onChoose(near.row.seq);
      }
    });
    setInterval(() => this.#tick(), TICK_MS);
  }

  /* `shown` is the set of seqs that pass the filter, or null where all do; others are drawn faint. */
  setRows(rows, shown) {
    this.#rows = rows;
    this.#shown = shown;
    this.#stale = true;
  }

  setChosen(row) {
    if (row !== this.#chosen) {
      this.#chosen = row;
      this.#draw();
    }
  }

  setLabel(words) {
    this.#canvas.setAttribute('aria-label', words);
  }

  #tick() {
    this.#ticks += 1;
    if (!document.hidden && (this.#stale || this.#ticks >= IDLE_TICKS)) {
      this.#draw();
    }
  }

  #colour(name) {
    if (this.#colours === null) {
      const style = getComputedStyle(document.documentElement);

      this.#colours = new Map(
        COLOURS.map((key) => [key, style.getPropertyValue(`--${key}`).trim()]),
      );
    }
    return this.#colours.get(name);
  }

  #draw() {
    const { width, height } = this.#size;

    this.#stale = false;
    this.#ticks = 0;
    if (width === 0 || height === 0) {
      return;
    }

    const ratio = devicePixelRatio || 1;
    const pen = this.#canvas.getContext('2d');
    const plot = measures(width, height);
    const now = serverNow();

    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    pen.scale(ratio, ratio);
    plot.x = (ts) => plot.right - ((now - ts) / WINDOW_S) * (plot.right - plot.left);
    plot.y = (ms) => plot.bottom - onScale(ms) * (plot.bottom - plot.top);
    pen.font = `11px ${this.#colour('ui')}`;
    pen.textBaseline = 'middle';

    /* Rows come newest first, and by seq, so nearly by time: long ones may stand out of order. */
    const rows = this.#rows.filter((row) => now - row.ts < WINDOW_S && row.ts <= now + 1);

    this.#drawScale(pen, plot);
    this.#drawBars(pen, plot, rows, now);
    this.#drawPoints(pen, plot, rows);
    this.#drawChosen(pen, plot, now);
  }

  #drawScale(pen, plot) {
    pen.strokeStyle = this.#colour('line');
    pen.fillStyle = this.#colour('ink-3');
    pen.textAlign = 'right';
    LINES.forEach(([ms, word], i) => {
      const y = Math.round(plot.y(ms)) + 0.5;

      if (plot.narrow && i % 2 === 1) {
        return;
      }
      pen.beginPath();
      pen.moveTo(plot.left, y);
      pen.lineTo(plot.right, y);
      pen.stroke();
      pen.fillText(word, plot.left - 8, y);
    });
    if (!plot.narrow) {
      pen.fillText('per min', plot.left - 4, plot.base - plot.bars / 2);
    }
    for (let minute = 0; minute <= WINDOW_S / 60; minute += 1) {
      if (!plot.narrow || minute === 0 || minute % 2 === 1) {
        const x = plot.right - ((minute * 60) / WINDOW_S) * (plot.right - plot.left);

        pen.textAlign = minute === 0 ? 'right' : minute * 60 === WINDOW_S ? 'left' : 'center';
        pen.fillText(
          minute === 0 ? 'now' : `−${minute} min`,
          x,
          plot.base + plot.words / 2 + 2,
        );
      }
    }
  }

  /* Bins keep their rows while time moves on: they begin at whole multiples of their length. */
  #drawBars(pen, plot, rows, now) {
    const length = WINDOW_S / BINS;
    const newest = Math.floor(now / length);
    const all = new Array(BINS + 1).fill(0);
    const failed = new Array(BINS + 1).fill(0);

    for (const row of rows) {
      const bin = newest - Math.floor(row.ts / length);

      if (bin >= 0 && bin <= BINS) {
        all[bin] += 1;
        failed[bin] += isFailed(row) ? 1 : 0;
      }
    }

    const most = Math.max(1, ...all);

    for (let bin = 0; bin <= BINS; bin += 1) {
      const from = Math.max(plot.left, plot.x((newest - bin) * length));
      const to = Math.min(plot.right, plot.x((newest - bin + 1) * length));
      const width = Math.max(1, to - from - 2);

      if (to > from && all[bin] > 0) {
        const high = (all[bin] / most) * plot.bars;

        pen.globalAlpha = 0.55;
        pen.fillStyle = this.#colour('line-2');
        pen.fillRect(from + 1, plot.base - high, width, high);
        pen.globalAlpha = 1;
      }
      if (to > from && failed[bin] > 0) {
        const high = Math.max(2, (failed[bin] / most) * plot.bars);

        pen.fillStyle = this.#colour('bad');
        pen.fillRect(from + 1, plot.base - high, width, high);
      }
    }
  }

  /* Failed ones are drawn last, so that nothing hides them. */
  #drawPoints(pen, plot, rows) {
    const loud = [];

    this.#points = [];
    for (const row of rows) {
      if (isTunnel(row)) {
        continue;
      }

      const point = { row, x: plot.x(row.ts), y: plot.y(durationOf(row)) };

      if (isFailed(row)) {
        loud.push(point);
      } else {
        this.#drawPoint(pen, point);
      }
      if (point.x >= plot.left) {
        this.#points.push(point);
      }
    }
    loud.forEach((point) => this.#drawPoint(pen, point));
    pen.globalAlpha = 1;
  }

  #drawPoint(pen, { row, x, y }) {
    const fits = this.#shown === null || this.#shown.has(row.seq);

    pen.beginPath();
    pen.globalAlpha = fits ? 0.9 : 0.12;
    if (isHard(row)) {
      pen.strokeStyle = this.#colour('bad');
      pen.lineWidth = 2;
      pen.moveTo(x - 4, y - 4);
      pen.lineTo(x + 4, y + 4);
      pen.moveTo(x + 4, y - 4);
      pen.lineTo(x - 4, y + 4);
      pen.stroke();
    } else if (isFailed(row)) {
      pen.fillStyle = this.#colour('surface');
      pen.strokeStyle = this.#colour('warn');
      pen.lineWidth = 1.5;
      pen.moveTo(x, y - 4.5);
      pen.lineTo(x + 4.5, y + 3.5);
      pen.lineTo(x - 4.5, y + 3.5);
      pen.closePath();
      pen.fill();
      pen.stroke();
    } else if (isLive(row)) {
      pen.strokeStyle = this.#colour('accent');
      pen.lineWidth = 1.5;
      pen.arc(x, y, 3, 0, 2 * Math.PI);
      pen.stroke();
    } else {
      pen.globalAlpha = fits && row.poll ? 0.3 : pen.globalAlpha;
      pen.fillStyle = this.#colour(row.poll ? 'ink-3' : 'wait');
      pen.arc(x, y, row.poll ? 1.5 : 2.75, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  #drawChosen(pen, plot, now) {
    const row = this.#chosen;

    if (!row || now - row.ts >= WINDOW_S) {
      return;
    }

    const x = plot.x(row.ts);

    pen.strokeStyle = this.#colour('accent');
    pen.lineWidth = 1;
    pen.setLineDash([2, 3]);
    pen.beginPath();
    pen.moveTo(x, plot.top);
    pen.lineTo(x, plot.base);
    pen.stroke();
    pen.setLineDash([]);
    if (!isTunnel(row)) {
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, plot.y(durationOf(row)), 8, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  #nearest(event) {
    const box = this.#canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    let nearest = null;
    let least = NEAR_PX;

    for (const point of this.#points) {
      /* Where both are near, an exchange is meant, not a poll. */
      const far = Math.hypot(point.x - x, point.y - y) + (point.row.poll ? 4 : 0);

      if (far < least) {
        least = far;
        nearest = point;
      }
    }
    return nearest;
  }

  #point(event) {
    const near = this.#nearest(event);

    this.#tip.hidden = near === null;
    if (near) {
      const { row, x, y } = near;

      this.#tip.textContent = [
        statusOf(row).word,
        row.method,
        row.path,
        duration(durationOf(row)),
      ].join(' ');
      setStyle(this.#tip, {
        left: `${Math.max(0, Math.min(x + 10, this.#size.width - this.#tip.offsetWidth - 8))}px`,
        top: `${Math.max(2, y - 30)}px`,
      });
    }
  }
}

/* What the picture says, for those who do not see it. */
export function pictureLabel(figures) {
  return (
    'Latency of the last 5 minutes on a log scale: ' +
    `${count(figures.exchanges)} exchanges and ${count(figures.polls)} polls, ` +
    `${count(figures.failed)} failed, p95 ${duration(figures.p95)}. ` +
    `The same exchanges are in the table below.${layout.narrow ? '' : ' A point can be clicked.'}`
  );
}
