// The pure modules of `static/js/core`, which the page and the package share.
import { describe, expect, test } from 'vitest';
import { entriesOfFiles, nameOf, usable } from '../../static/js/core/entries.js';
import { readerOf } from '../../static/js/core/language.js';
import { fieldsOf, isIncomplete, same, stepOf, withAnotherOutput, withOutput, withParameter, withStep, withoutOutput } from '../../static/js/core/recipe.js';
import { createStrings, en } from '../../static/js/core/strings.js';

const CATALOGUE: any[] = ['rotate', 'crop', 'resize'].map((op) => ({ op, schema: {} }));
CATALOGUE[2].schema = { 'x-start': { width: 1600 }, 'x-needs': ['width', 'height'] };
const RECIPE: any = { operations: [{ op: 'rotate', angle: 90 }], outputs: [{ name: 'png', format: 'png' }] };
const t = createStrings(en, 'en');

describe('recipe', () => {
  test('a step takes its place in the order of the catalogue, with what it starts with, and goes again', () => {
    const two = withStep(RECIPE, 'resize', true, CATALOGUE);
    const three = withStep(two, 'crop', true, CATALOGUE);
    expect(three.operations.map((step: any) => step.op)).toEqual(['rotate', 'crop', 'resize']);
    expect(stepOf(three, 'resize')).toEqual({ op: 'resize', width: 1600 });
    expect(same(withStep(withStep(three, 'crop', false, CATALOGUE), 'resize', false, CATALOGUE), RECIPE)).toBe(true);
    expect(RECIPE.operations).toHaveLength(1); // never changed in place
  });

  test('a parameter set to undefined is the default again; a step without what it needs is incomplete', () => {
    const resized = withStep(RECIPE, 'resize', true, CATALOGUE);
    expect(isIncomplete(CATALOGUE[2], resized)).toBe(false);
    const emptied = withParameter(resized, 'resize', 'width', undefined);
    expect(stepOf(emptied, 'resize')).toEqual({ op: 'resize' });
    expect(isIncomplete(CATALOGUE[2], emptied)).toBe(true);
    expect(isIncomplete(CATALOGUE[2], withParameter(emptied, 'resize', 'height', 20))).toBe(false);
    expect(isIncomplete(CATALOGUE[2], RECIPE)).toBe(false);
  });

  test('another output has a format and a name that are free', () => {
    let recipe = withAnotherOutput(RECIPE, ['png', 'webp']);
    recipe = withAnotherOutput(recipe, ['png', 'webp']);
    expect(recipe.outputs.map(({ name, format }: any) => [name, format])).toEqual([['png', 'png'], ['webp', 'webp'], ['png-2', 'png']]);
    expect(withoutOutput(withOutput(recipe, 0, 'quality', 80), 1).outputs).toEqual([{ name: 'png', format: 'png', quality: 80 }, { name: 'png-2', format: 'png' }]);
  });

  test('fields follow the schema: sliders, choices, colours, references', () => {
    const schema = {
      $defs: { Side: { enum: ['left', 'right'] } },
      properties: {
        op: { const: 'x' },
        share: { type: 'number', minimum: 0, maximum: 1, 'x-control': 'percent' },
        width: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null },
        side: { $ref: '#/$defs/Side', default: 'left' },
        colour: { type: 'string', 'x-control': 'color' },
        on: { type: 'boolean' },
        parts: { type: 'array' },
      },
    };
    const fields = fieldsOf(schema);
    expect(fields.map(({ key, control }) => [key, control])).toEqual([['share', 'slider'], ['width', 'number'], ['side', 'choice'], ['colour', 'colour'], ['on', 'toggle']]);
    expect(fields[0]).toMatchObject({ percent: true, step: 0.01, unit: '%', min: 0, max: 1 });
    expect(fields[1]).toMatchObject({ nullable: true, integer: true });
    expect(fields[2].options).toEqual(['left', 'right']);
  });
});

describe('entries', () => {
  const entries = (...names: string[]) => names.map((name) => ({ file: new File([], 'x'), name }));

  test('of a folder only photos are taken, of files that were chosen all but the system’s own', () => {
    const found = usable(entries('trip/b10.jpg', 'trip/b9.JPG', 'trip/notes.txt', 'trip/.DS_Store', '__MACOSX/trip/b9.JPG', 'letter.doc'));
    expect(found.entries.map(({ name }) => name)).toEqual(['trip/b9.JPG', 'trip/b10.jpg', 'letter.doc']);
    expect(found.leftOut).toBe(1);
  });

  test('a job is called after its folder, its one photo, or the first of several', () => {
    expect(nameOf(entries('trip/a.jpg', 'trip/b.jpg'), t)).toBe('trip');
    expect(nameOf(entries('a.jpg'), t)).toBe('a.jpg');
    expect(nameOf(entries('a.jpg', 'b.jpg', 'c.jpg'), t)).toBe('a.jpg and 2 more');
    expect(entriesOfFiles([new File([], 'a.jpg')])[0].name).toBe('a.jpg');
  });
});

describe('language', () => {
  test('texts of the server are shown in another language, with what differs filled in; names stay', () => {
    const messages = { Crop: 'Zuschneiden', 'At most {} of {} MB.': 'Höchstens {} von {} MB.' };
    const read = readerOf(messages, ((key: string) => messages[key as 'Crop'] ?? key) as any);
    const json = JSON.stringify({ title: 'Crop', name: 'Crop', detail: 'At most 5 of $& MB.', hint: 'Unknown.' });
    expect(read(json)).toEqual({ title: 'Zuschneiden', name: 'Crop', detail: 'Höchstens 5 von $& MB.', hint: 'Unknown.' });
  });
});
