/** Making elements whose parts a page can dress. */

import { el } from '../../static/js/core/dom.js';
import type { FormMaker } from '../../static/js/core/types.js';

/** The classes of a part. */
export type ClassOf = (part: string) => string | undefined;
export type PartMaker = (tag: string, parts: string, properties?: Record<string, any>, ...children: any[]) => any;

/** `part` makes an element of the part named last; `formEl` is `el` for what is drawn on the page too: its classes become parts. */
export function makersOf(classOf: ClassOf): { part: PartMaker; formEl: FormMaker } {
  const part: PartMaker = (tag, parts, properties = {}, ...children) => {
    const names = parts.split(' ');
    const className = names.map(classOf).filter(Boolean).join(' ');
    return el(tag, { 'data-pp-part': names.at(-1), ...(className && { className }), ...properties }, ...children);
  };
  return {
    part,
    formEl: (tag, { className, ...properties } = {}, ...children) => (className
      ? part(tag, className.replace(/[\w-]+/g, 'form-$&'), properties, ...children) : el(tag, properties, ...children)),
  };
}
