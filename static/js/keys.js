/**
 * The keyboard: single keys, which can be switched off, and the list of them.
 *
 * @import { Page, Viewer } from './page.js'
 */

import { byId, el } from './dom.js';
import { openDialog, recall, remember, setUpDialog } from './shell.js';

/** @type {Array<[string[], string]>} */
const HELP = [
  [['?'], 'keyHelp'], [['O'], 'keyFiles'], [['Ctrl', 'V'], 'keyPaste'], [['J'], 'keyNext'], [['K'], 'keyPrevious'],
  [['Enter'], 'keyOpen'], [['Esc'], 'keyClose'], [['←', '→'], 'keySlide'], [['Space'], 'keyToggle'], [['+', '−', '0'], 'keyZoom'], [['B'], 'keyBackground'],
  [['D'], 'keyDownload'], [['1', '2', '3', '4'], 'keyFilter'], [['P'], 'keyPause'], [['R'], 'keyRetry'], [['F'], 'keyFine'], [['N'], 'keyNextLook'], [['X'], 'keySelect'], [['A'], 'keySelectAll'], [['Del'], 'keyDelete'], [['H'], 'keyJobs'], [['M'], 'keyModels'],
];

/**
 * @param {Page} page
 * @param {{viewer: () => Viewer|null, acts: Record<string, () => void>}} options
 */
export function createKeys({ t }, { viewer, acts }) {
  const dialog = byId('keys-dialog');
  const on = byId('keys-on');
  const open = () => openDialog(dialog);
  setUpDialog(dialog);
  byId('keys-list').append(...HELP.flatMap(([keys, text]) => [
    el('dt', {}, ...keys.map((key) => el('kbd', {}, key))), el('dd', {}, t(text)),
  ]));
  on.checked = recall('single-keys') !== false;
  on.onchange = () => remember('single-keys', on.checked);

  addEventListener('keydown', (event) => {
    if (!on.checked || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (handle(event.key.length === 1 ? event.key.toLowerCase() : event.key, /** @type {Element} */ (event.composedPath()[0]), event)) event.preventDefault();
  });

  function handle(key, target, event) {
    if (target.matches('select, textarea, input:not([type=range], [type=radio], [type=checkbox])')) return false;
    if (key === ' ' && target.matches('button, a, summary, input:not([type=range])')) return false;
    if (viewer()?.isOpen) return viewer()?.press(key, event);
    if (document.querySelector('dialog[open]')) return false;
    if (key === '?') open();
    else if (acts[key]) acts[key]();
    else return false;
    return true;
  }

  return { open };
}
