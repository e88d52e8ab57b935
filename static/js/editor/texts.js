/**
 * The texts of the opened photo and its editors, fetched with them.
 *
 * @import { Translate } from '../core/types.js'
 */

import { formTexts } from '../core/form.js';
import { createStrings } from '../core/strings.js';

/** @type {Record<string, string|{one: string, other: string}>} */
export const editorTexts = {
  position: '{n} of {total}',
  copyResult: 'Copy',
  shareResult: 'Share',
  save: 'Save',
  brush: 'Correct by hand',
  brushUndo: 'Back to the automatic cutout',
  crop: 'Correct the crop',
  cropUndo: 'Back to the automatic crop',
  compareValue: '{n} % before',
  brushRestore: 'Bring back',
  brushErase: 'Wipe out',
  brushSize: 'Size',
  brushArea: 'The cutout. Drag to paint, Space and drag to move it, plus and minus to zoom.',
  brushUnsaved: { one: '{n} stroke is not saved.', other: '{n} strokes are not saved.' },
  keepDrawing: 'Keep drawing',
  discard: 'Discard',
  cropArea: 'The photo in its frame. Drag it, or use the arrow keys; plus and minus to zoom; brackets to turn.',
  cropZoom: 'Zoom',
  cropTurn: 'Turn',
  cropTurned: '{n}°',
  cropPreview: 'How it will look',
  saveNext: 'Apply and next',
  redoStep: 'Redo',
  backdrop: 'Shown on',
  wholePhoto: 'The whole photo',
  zoomIn: 'Closer',
  zoomOut: 'Farther',
  zoomAll: 'All of it',

  factOriginal: 'Original',
  factResult: 'Result',
  factEngine: 'Engine',
  factTime: 'Time',
  factFaces: 'Faces',
  factPixels: '{width} × {height} px',
  notReady: 'There is no result yet.',
  downloadOriginal: 'Download the original',
  factResults: { one: '{n} file', other: '{n} files' },
  factNamed: 'Named',
  factTaken: 'Taken',
  factCamera: 'Camera',
  factPlace: 'Place',
  factByHand: 'Corrected by hand',
  milliseconds: '{n} ms',
  foreignOrigin: 'The server is there, but does not allow pages of {origin}.',
  foreignOriginHint: 'Whoever runs it adds {origin} to PHOTO_ALLOWED_ORIGINS and starts it again.',
  nextLook: 'Next to look at ({n})',
  redoing: 'Being made anew. The former result is shown.',
  alike: 'Similar photos',
  noneAlike: 'No photo of this job looks like it.',
};

/** `t` with these texts, and those of the form, in English where the language has none. @param {Translate} t @returns {Translate} */
export function withEditorTexts(t) {
  const english = createStrings({ ...formTexts, ...editorTexts }, 'en');
  return (key, values) => {
    const text = t(key, values);
    return text === key ? english(key, values) : text;
  };
}
