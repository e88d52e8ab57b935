/**
 * The lines of the chosen document over a crop: the head's oval, where chin and crown may lie, and the eye line.
 *
 * @import { FileView, Job, JobClient, Measures, Operation } from '../core/types.js'
 */

const SVG = 'http://www.w3.org/2000/svg';
const BREADTH = 0.7; // of a head, by its height from chin to crown
const EYES_AT = { bare: 0.5, hair: 0.46 }; // of that height above the chin; with hair the crown lies higher

/** The step that cuts out one part of the photo, whose frame a person can set. @param {FileView} file @param {Job|null} job */
export function cropStep(file, job) {
  const step = (file.recipe ?? job?.recipe)?.operations.find(({ op }) => op === 'crop_face' || op === 'id_photo');
  return step?.which === 'all' ? undefined : step;
}

/** The measures of the document that a step makes; null where it makes none, or they cannot be had. @param {JobClient} client @param {Operation|undefined} step @returns {Promise<Measures|null>} */
export async function measuresOf(client, step) {
  if (step?.op !== 'id_photo') return null;
  const catalogue = await client.operations().catch(() => null);
  const preset = catalogue?.operations.find(({ op }) => op === 'id_photo')?.schema.properties.preset;
  return preset?.['x-measures']?.[step.preset ?? preset.default] ?? null;
}

/** @param {string} name @param {Record<string, string|number>} attributes */
function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** In mm of the document, from its upper left. @param {Measures} measures */
export function guideOf({ width, height, head, head_with_hair: hair, eyes_above_lower_edge: eyes }) {
  const up = hair ? EYES_AT.hair : EYES_AT.bare;
  const line = height - eyes[1];
  const chin = line + up * head[1];
  return {
    width, height, line, band: { top: height - eyes[2], bottom: height - eyes[0] },
    oval: { x: width / 2, y: chin - head[1] / 2, rx: (BREADTH * head[1]) / 2, ry: head[1] / 2 },
    crown: { high: chin - head[2], low: chin - head[0] }, chin,
  };
}

/** @param {Measures} measures */
export function drawGuides(measures) {
  const { width, height, line, band, oval, crown, chin } = guideOf(measures);
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', class: 'guides', 'aria-hidden': 'true' });
  const across = (/** @type {number} */ y, /** @type {string} */ kind, inset = 0) => shape('line', { x1: inset, x2: width - inset, y1: y, y2: y, class: kind });
  svg.append(
    shape('rect', { x: 0, y: band.top, width, height: band.bottom - band.top, class: 'band' }),
    shape('ellipse', { cx: oval.x, cy: oval.y, rx: oval.rx, ry: oval.ry, class: 'under' }),
    shape('ellipse', { cx: oval.x, cy: oval.y, rx: oval.rx, ry: oval.ry, class: 'oval' }),
    across(line, 'under'), across(line, 'eyes'),
    ...[crown.high, crown.low, chin].flatMap((y) => [across(y, 'under', width * 0.3), across(y, 'limit', width * 0.3)]),
  );
  return svg;
}
