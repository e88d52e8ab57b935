/**
 * The texts of what is done with a job's photos, fetched with the first of them.
 *
 * @import { Translate } from './core/types.js'
 */

import { createStrings } from './core/strings.js';

/** @type {Record<string, string|{one: string, other: string}>} */
export const deskTexts = {
  tag_eyes: 'Eyes',
  tag_crop: 'Crop',
  tag_cutout: 'Cutout',
  tag_light: 'Light',
  tag_size: 'Size',
  tag_other: 'Other',
  reasons: 'Reasons',
  everyReason: 'Every reason',
  fineAll: { one: 'Looks fine ({n})', other: 'All look fine ({n})' },
  accepted: { one: '{n} photo looks fine.', other: '{n} photos look fine.' },
  names: 'Names',
  namesToCheck: 'Names ({n} to check)',
  namesMatched: { one: '{n} photo has a row of the list.', other: '{n} photos have a row of the list.' },
  namesPhotos: 'Photos without a row',
  namesRows: 'Rows without a photo',
  namesRow: 'Row of the list',
  namesOwn: 'None of these',
  number: 'Number',
  caption: 'Caption',
  apply: 'Apply',
  rename: 'Rename',
  photoName: 'Name of the photo',
  printAll: { one: 'The photo that is done', other: 'All {n} that are done' },
  printSelected: { one: '{n} selected photo', other: '{n} selected photos' },
  printAccepted: { one: 'Only what nobody has to look at ({n} photo)', other: 'Only what nobody has to look at ({n} photos)' },
  printNames: 'Names beneath',
  printPages: { one: '{n} page', other: '{n} pages' },
  printOwnPaper: 'Own size',
  printWidth: 'Width (mm)',
  printHeight: 'Height (mm)',
  printPreview: 'The first page',
  printNothing: 'There is nothing to print.',
};

/** `t` with these texts, in English where the language has none. @param {Translate} t @returns {Translate} */
export function withDeskTexts(t) {
  const english = createStrings(deskTexts, 'en');
  return (key, values) => {
    const text = t(key, values);
    return text === key ? english(key, values) : text;
  };
}
