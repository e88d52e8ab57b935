/**
 * Files out of a drop, a choice or a paste, folders to any depth, each with its folder in its name.
 *
 * @import { Entry, Translate } from './types.js'
 */

const PHOTO = /\.(jpe?g|jpe|jfif|png|webp|gif|bmp|tiff?|avif|hei[cf]|zip|[ct]sv)$/i;
const HIDDEN = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/;

/** Call it before the drop's handler returns: the browser empties the list then. @param {DataTransfer} transfer */
export function entriesOfDrop(transfer) {
  const roots = Array.from(transfer.items)
    .filter((item) => item.kind === 'file')
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())
    .filter((root) => root !== null);
  return Promise.all(roots.map(walk)).then((lists) => lists.flat());
}

/** @param {FileSystemEntry|File} root @returns {Promise<Entry[]>} */
async function walk(root) {
  if (root instanceof File) return [{ file: root, name: root.name }];
  const name = root.fullPath.replace(/^\//, '');
  if (root.isFile) {
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (root).file(resolve, reject));
    return [{ file, name }];
  }
  const children = await readAll(/** @type {FileSystemDirectoryEntry} */ (root).createReader());
  return (await Promise.all(children.map(walk))).flat();
}

/** A reader gives 100 entries at a time, then none. @param {FileSystemDirectoryReader} reader */
async function readAll(reader) {
  /** @type {FileSystemEntry[]} */ const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

/** @param {Iterable<File>} files @returns {Entry[]} */
export function entriesOfFiles(files) {
  return Array.from(files, (file) => ({ file, name: file.webkitRelativePath || file.name }));
}

/**
 * Without the system's own files, and without what is no photo where a whole folder came:
 * a file that was chosen by itself is always sent, and the server says what is wrong with it.
 * @param {Entry[]} entries
 */
export function usable(entries) {
  const visible = entries.filter(({ name }) => !HIDDEN.test(name));
  const kept = visible.filter(({ name }) => !name.includes('/') || PHOTO.test(name));
  return { entries: inOrder(kept), leftOut: visible.length - kept.length };
}

/** Files in the order in which they were chosen; those of a folder, which come as they lie on the disk, by their names. @param {Entry[]} entries */
function inOrder(entries) {
  /** @type {Map<string, Entry[]>} */ const roots = new Map();
  entries.forEach((entry, at) => {
    const root = entry.name.includes('/') ? entry.name.split('/')[0] : `/${at}`;
    roots.set(root, [...roots.get(root) ?? [], entry]);
  });
  return [...roots.values()].flatMap((some) => some.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true })));
}

/** What to call a job of these. @param {Entry[]} entries @param {Translate} t */
export function nameOf(entries, t) {
  const [first] = entries;
  const folder = first.name.split('/')[0];
  if (first.name.includes('/') && entries.every(({ name }) => name.startsWith(`${folder}/`))) return folder;
  return entries.length === 1 ? first.name : t('jobNameMore', { name: first.name, n: entries.length - 1 });
}
