/*
 * One job: which of the three layouts is on. The widths are those of panel.css; 200 % zoom falls into
 * the narrower ones by itself.
 */

const medium = matchMedia('(max-width: 1100px)');
const narrow = matchMedia('(max-width: 760px)');
const dark = matchMedia('(prefers-color-scheme: dark)');

export const layout = {
  /* above 1100: all columns, tab Both */
  get wide() {
    return !medium.matches;
  },
  /* up to 760: two-line rows, the detail is a sheet */
  get narrow() {
    return narrow.matches;
  },
};

export function onLayoutChange(run) {
  medium.addEventListener('change', run);
  narrow.addEventListener('change', run);
}

export function onSchemeChange(run) {
  dark.addEventListener('change', run);
}
