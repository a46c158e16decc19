/*
 * One job: what the panel remembers in this browser. A browser that refuses storage costs the memory,
 * never the panel.
 */

const PREFIX = 'sightglass.';

export function remember(name, value) {
  try {
    if (value === null) {
      localStorage.removeItem(PREFIX + name);
    } else {
      localStorage.setItem(PREFIX + name, String(value));
    }
  } catch {
    /* storage is off or full: the setting holds for this page */
  }
}

export function recall(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}
