/**
 * What a mask is painted with. A tool begins an edit, the edit grows with the pointer and can be applied again: that is
 * all the brush knows of it, so that another tool (one that finds edges) is one more entry of `TOOLS`.
 *
 * @import { Box, MaskEdit, MaskTool } from '../core/types.js'
 */

import { canvasOf } from './layer.js';

const SOFT = 0.7; // of the disc's radius is fully opaque

/** @param {number} radius */
function discOf(radius) {
  const { canvas, draw } = canvasOf(2 * radius, 2 * radius);
  const shade = draw.createRadialGradient(radius, radius, SOFT * radius, radius, radius, radius);
  shade.addColorStop(0, '#fff');
  shade.addColorStop(1, '#fff0');
  draw.fillStyle = shade;
  draw.fillRect(0, 0, 2 * radius, 2 * radius);
  return canvas;
}

/** A soft disc along the way of the pointer. @param {boolean} keep @param {number} radius px of the mask @returns {MaskEdit} */
function createStroke(keep, radius) {
  const disc = discOf(radius);
  /** @type {Array<[number, number]>} */ const points = [];

  /** @param {CanvasRenderingContext2D} mask @param {number} from index of the first point that is new */
  function stamp(mask, from) {
    mask.globalCompositeOperation = keep ? 'source-over' : 'destination-out';
    for (let at = Math.max(from, 0); at < points.length; at++) {
      const [x, y] = points[at];
      const [fromX, fromY] = points[Math.max(at - 1, 0)];
      const steps = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY) / (radius / 2)));
      for (let step = 1; step <= steps; step++) {
        mask.drawImage(disc, fromX + ((x - fromX) * step) / steps - radius, fromY + ((y - fromY) * step) / steps - radius);
      }
    }
  }

  return {
    /** Goes on to a point; the part of the mask that is another now. @param {CanvasRenderingContext2D} mask @param {[number, number]} point @returns {Box} */
    extend(mask, point) {
      const last = points.at(-1) ?? point;
      points.push(point);
      stamp(mask, points.length - 1);
      const reach = radius + 2;
      return [Math.min(last[0], point[0]) - reach, Math.min(last[1], point[1]) - reach, Math.max(last[0], point[0]) + reach, Math.max(last[1], point[1]) + reach];
    },
    apply: (mask) => stamp(mask, 0),
  };
}

/** @type {MaskTool[]} */
export const TOOLS = [
  { name: 'brushRestore', key: 'r', begin: ({ radius }) => createStroke(true, radius) },
  { name: 'brushErase', key: 'e', begin: ({ radius }) => createStroke(false, radius) },
];
