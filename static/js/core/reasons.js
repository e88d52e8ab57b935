/**
 * Why a photo is to be looked at, as short tags: what a person sorts and filters by.
 *
 * @import { FileView } from './types.js'
 */

export const TAGS = /** @type {const} */ (['eyes', 'crop', 'cutout', 'light', 'size', 'other']);

/** @type {Record<string, (typeof TAGS)[number]>} */
const TAG_OF = {
  eyes_closed: 'eyes', no_eyes: 'eyes', eyes_not_level: 'eyes', eye_line: 'eyes',
  face_cut_off: 'crop', hair_cut_off: 'crop', body_cut_off: 'crop', head_size: 'crop', head_tilted: 'crop', head_turned: 'crop',
  head_nods: 'crop', no_face: 'crop', several_faces: 'crop',
  cutout_unsure: 'cutout', background_left: 'cutout', background_uneven: 'cutout', part_of_subject: 'cutout', no_subject: 'cutout',
  cut_out_already: 'cutout', matting_skipped: 'cutout', fallback_model: 'cutout', fallback_engine: 'cutout',
  too_bright: 'light', too_dark: 'light', uneven_light: 'light', blurred: 'light', tone_mapped: 'light', bad_colour_profile: 'light',
  low_resolution: 'size', budget_missed: 'size',
};

/** @param {FileView} file @returns {(typeof TAGS)[number][]} in the order of `TAGS`, each once */
export function tagsOf({ status, review = [], warnings, accepted }) {
  if (status !== 'completed') return [];
  const found = new Set([...review, ...accepted ? [] : warnings].map(({ code }) => TAG_OF[code] ?? 'other'));
  return TAGS.filter((tag) => found.has(tag));
}
