/**
 * Before and after on one stage: over each other with a slider where their shapes are alike, else side by side.
 *
 * @import { Page, Picture } from './page.js'
 */

import { byId } from './dom.js';

const LARGE = 2; // times its own size a small picture may grow

/** @param {Page} page */
export function createCompare({ t, address }) {
  const stage = byId('stage');
  const frame = stage.querySelector('.frame');
  const behind = frame.querySelector('.behind span');
  const slider = frame.querySelector('input');
  /** @type {HTMLImageElement} */ const before = frame.querySelector('.before');
  /** @type {HTMLImageElement} */ const after = frame.querySelector('.after');
  let shown = '';
  let turn = 0;

  /** The address that can be shown, once it is there; nothing where there is none. @param {Picture|null} picture */
  async function ready(picture) {
    for (const src of picture ? [picture.src, picture.spare] : []) {
      const probe = new Image();
      probe.src = await address(src).catch(() => 'data:,');
      if (await probe.decode().then(() => true, () => false)) return probe;
    }
    return null;
  }

  /** @param {HTMLImageElement} image @param {HTMLImageElement|null} picture */
  function put(image, picture) {
    if (picture) image.src = picture.src;
    else image.removeAttribute('src');
    const box = /** @type {HTMLElement} */ (image.parentElement);
    const { naturalWidth: width = 0, naturalHeight: height = 0 } = picture ?? {};
    box.style.setProperty('--ratio', String(width / height || 1));
    box.style.setProperty('--most', `${LARGE * width}px`);
    return { width, height };
  }

  /** @param {{width: number, height: number}} one @param {{width: number, height: number}} other */
  function modeOf(one, other) {
    if (!one.width || !other.width) return other.width ? 'after' : one.width ? 'before' : 'none';
    return Math.abs((one.width * other.height) / (one.height * other.width) - 1) < 0.02 ? 'slider' : 'pair';
  }

  function slide() {
    frame.style.setProperty('--at', `${slider.value}%`);
    slider.setAttribute('aria-valuetext', t('compareValue', { n: slider.valueAsNumber }));
  }

  slider.addEventListener('input', slide);

  return {
    /** What was shown stays until the new pictures are there. @param {Picture} original @param {Picture|null} result @param {boolean} fresh of another photo */
    async show(original, result, fresh) {
      const wanted = `${original.src} ${result?.src}`;
      if (wanted === shown) return;
      shown = wanted;
      const own = ++turn;
      if (fresh) stage.dataset.mode = 'none';
      const [one, other] = await Promise.all([ready(original), ready(result)]);
      if (own !== turn) return;
      const [left, right] = [put(before, one), put(after, other)];
      const mode = modeOf(left, right);
      const main = mode === 'before' ? left : right;
      frame.style.setProperty('--ratio', String(main.width / main.height || 1));
      frame.style.setProperty('--most', `${LARGE * Math.max(main.width, left.width)}px`);
      behind.style.backgroundImage = mode === 'slider' ? `url("${before.src}")` : '';
      stage.dataset.mode = mode;
      slide();
    },
    clear() {
      shown = '';
      turn++;
      stage.dataset.mode = 'none';
      put(before, null);
      put(after, null);
    },
    /** All of the one, or all of the other. */
    flip() {
      slider.value = slider.valueAsNumber > 50 ? 0 : 100;
      slide();
    },
    /** @param {string} backdrop */
    setBackdrop(backdrop) {
      stage.dataset.backdrop = backdrop.startsWith('#') ? 'colour' : backdrop;
      if (backdrop.startsWith('#')) stage.style.setProperty('--backdrop', backdrop);
    },
    /** What is enlarged, each in its room: two pictures side by side go in step. @returns {{element: HTMLElement, room: HTMLElement}[]} */
    parts: () => (stage.dataset.mode === 'pair'
      ? [before, after].map(({ parentElement: shot }) => ({ element: /** @type {HTMLElement} */ (shot), room: /** @type {HTMLElement} */ (shot?.parentElement) }))
      : [{ element: frame, room: stage }]),
  };
}
