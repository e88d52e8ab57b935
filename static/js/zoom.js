/**
 * Looking closer: wheel, two fingers, double click or keys; dragging moves what is too large to be seen at once.
 */

const MOST = 8;
const STEP = 1.25;

/** @typedef {{element: HTMLElement, room: HTMLElement}} Part */

/** @param {HTMLElement} stage @param {() => Part[]} parts what is enlarged in it, all in step */
export function createZoom(stage, parts) {
  /** @type {Map<number, {x: number, y: number}>} */ const fingers = new Map();
  /** @type {Part[]} */ let moved = [];
  let scale = 1;
  let x = 0;
  let y = 0;

  function apply() {
    const now = parts();
    for (const { element } of moved) element.style.transform = '';
    const spare = now.map(({ element, room }) => ({ x: element.offsetWidth * scale - room.clientWidth, y: element.offsetHeight * scale - room.clientHeight }));
    const most = { x: Math.max(0, ...spare.map((one) => one.x / 2)), y: Math.max(0, ...spare.map((one) => one.y / 2)) };
    x = Math.min(most.x, Math.max(-most.x, x));
    y = Math.min(most.y, Math.max(-most.y, y));
    if (scale > 1) for (const { element } of now) element.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    moved = now;
    stage.toggleAttribute('data-zoomed', scale > 1);
  }

  /** The room that a point lies in. @param {{x: number, y: number}|undefined} at */
  const roomAt = (at) => parts().map(({ room }) => room.getBoundingClientRect())
    .find(({ left, right }) => at && at.x >= left && at.x <= right) ?? parts()[0].room.getBoundingClientRect();

  /** What is under the point stays there. @param {number} factor @param {{x: number, y: number}} [at] px of the window */
  function by(factor, at) {
    const { left, top, width, height } = roomAt(at);
    const point = at ? { x: at.x - left - width / 2, y: at.y - top - height / 2 } : { x: 0, y: 0 };
    const next = Math.min(MOST, Math.max(1, scale * factor));
    x = point.x - ((point.x - x) * next) / scale;
    y = point.y - ((point.y - y) * next) / scale;
    scale = next;
    apply();
  }

  function reset() {
    scale = 1;
    x = y = 0;
    apply();
  }

  const isPainting = () => 'painting' in stage.dataset;
  const middle = () => {
    const all = [...fingers.values()];
    return { x: all.reduce((sum, one) => sum + one.x, 0) / all.length, y: all.reduce((sum, one) => sum + one.y, 0) / all.length };
  };
  const spread = () => {
    const [one, other] = fingers.values();
    return other ? Math.hypot(one.x - other.x, one.y - other.y) : 0;
  };

  stage.addEventListener('wheel', (event) => {
    if (isPainting()) return;
    event.preventDefault();
    by(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY });
  }, { passive: false });
  stage.addEventListener('dblclick', (event) => !isPainting() && (scale > 1 ? reset() : by(3, { x: event.clientX, y: event.clientY })));
  stage.addEventListener('dragstart', (event) => event.preventDefault());
  stage.addEventListener('pointerdown', (event) => {
    if (isPainting()) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  stage.addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    const [before, apart] = [middle(), spread()];
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size < 2 && (scale === 1 || event.target instanceof HTMLInputElement)) return;
    const after = middle();
    x += after.x - before.x;
    y += after.y - before.y;
    if (apart) by(spread() / apart, after);
    else apply();
  });
  for (const name of ['pointerup', 'pointercancel']) {
    addEventListener(name, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }

  return { reset, closer: () => by(STEP), farther: () => by(1 / STEP) };
}
