/**
 * Before and after on one stage: a slider where both have one shape, side by side where the crop differs,
 * the original alone while there is no result.
 *
 * @import { Translate } from './core/types.js'
 * @import { Picture } from './page.js'
 */

import { byId } from './dom.js';

const LARGE = 2; // times its own size a small picture may grow

/** @param {Translate} t */
export function createCompare(t) {
  const stage = byId('stage');
  const frame = stage.querySelector('.frame');
  const [after, before, , , , slider] = frame.children;
  let shown = '';
  let turn = 0;

  /** @param {Picture|null} picture @returns {Promise<boolean>} */
  function load(image, picture) {
    return new Promise((resolve) => {
      image.onload = () => resolve(true);
      image.onerror = () => {
        if (picture && image.getAttribute('src') !== picture.spare) image.src = picture.spare;
        else resolve(false);
      };
      if (picture) image.src = picture.src;
      else {
        image.removeAttribute('src');
        resolve(false);
      }
    });
  }

  function modeOf(hasBefore, hasAfter) {
    if (!hasBefore || !hasAfter) return hasAfter ? 'after' : hasBefore ? 'before' : 'none';
    const skew = (before.naturalWidth * after.naturalHeight) / (before.naturalHeight * after.naturalWidth);
    return Math.abs(skew - 1) < 0.02 ? 'slider' : 'pair';
  }

  function layOut() {
    const main = stage.dataset.mode === 'before' ? before : after;
    frame.style.setProperty('--ratio', String(main.naturalWidth / main.naturalHeight || 1));
    frame.style.setProperty('--most', `${LARGE * Math.max(main.naturalWidth, before.naturalWidth)}px`);
  }

  function slide() {
    frame.style.setProperty('--at', `${slider.value}%`);
    slider.setAttribute('aria-valuetext', t('compareValue', { n: slider.valueAsNumber }));
  }

  slider.addEventListener('input', slide);

  return {
    /** @param {Picture} original @param {Picture|null} result */
    async show(original, result) {
      const wanted = `${original.src} ${result?.src}`;
      if (wanted === shown) return;
      shown = wanted;
      const own = ++turn;
      stage.dataset.mode = 'none';
      const [hasBefore, hasAfter] = await Promise.all([load(before, original), load(after, result)]);
      if (own !== turn) return;
      stage.dataset.mode = modeOf(hasBefore, hasAfter);
      layOut();
      slide();
    },
    clear() {
      shown = '';
      turn++;
      stage.dataset.mode = 'none';
      load(before, null);
      load(after, null);
    },
    /** All of the one, or all of the other. */
    flip() {
      slider.value = slider.valueAsNumber > 50 ? 0 : 100;
      slide();
    },
    setBackdrop(backdrop) {
      stage.dataset.backdrop = backdrop.startsWith('#') ? 'colour' : backdrop;
      if (backdrop.startsWith('#')) stage.style.setProperty('--backdrop', backdrop);
    },
  };
}
