/*
 * One job: which keys do what in the Traffic view. The list in the help is made of the labels.
 */

export function trafficKeys(view) {
  return [
    {
      keys: ['ArrowUp'],
      shown: ['ArrowUp', 'ArrowDown', 'k', 'j'],
      label: 'Previous, next exchange',
      run: () => view.moveBy(-1),
      where: 'list',
    },
    { keys: ['ArrowDown'], run: () => view.moveBy(1), where: 'list' },
    { keys: ['k'], run: () => view.moveBy(-1) },
    { keys: ['j'], run: () => view.moveBy(1) },
    {
      keys: ['PageUp'],
      shown: ['PageUp', 'PageDown'],
      label: 'A page up, down',
      run: () => view.movePage(-1),
      where: 'list',
    },
    { keys: ['PageDown'], run: () => view.movePage(1), where: 'list' },
    {
      keys: ['Home'],
      shown: ['Home', 'End'],
      label: 'Newest, oldest',
      run: () => view.moveToEnd(false),
      where: 'list',
    },
    { keys: ['End'], run: () => view.moveToEnd(true), where: 'list' },
    { keys: ['Enter'], label: 'Into the detail', run: () => view.enter(), where: 'list' },
    { keys: ['Escape'], label: 'Back to the list, close', run: () => view.leave() },
    {
      keys: ['n'],
      shown: ['n', 'N'],
      label: 'Next, previous failure',
      run: () => view.moveToFailure(1),
    },
    { keys: ['N'], run: () => view.moveToFailure(-1) },
    {
      keys: ['['],
      shown: ['[', ']'],
      label: 'Previous, next tab',
      run: () => view.moveTab(-1),
    },
    { keys: [']'], run: () => view.moveTab(1) },
    { keys: ['/'], label: 'Filter', run: () => view.focusFilter() },
    { keys: ['x'], label: 'Errors only', run: () => view.toggleErrors() },
    { keys: ['c'], label: 'Copy as curl', run: () => view.curl() },
    { keys: ['r'], label: 'Replay', run: () => view.replay() },
    { keys: ['e'], label: 'Edit and replay', run: () => view.edit() },
    {
      keys: [],
      shown: ['Ctrl', 'Enter'],
      label: 'Send the edited request',
      run: () => {},
    },
  ];
}
