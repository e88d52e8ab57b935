/** For a page opened from disk: its icons come from the server and are laid into the page, then all goes on as usual. */

const answer = await fetch(new URL('../img/icons.svg', import.meta.url));
const sprites = document.importNode(new DOMParser().parseFromString(await answer.text(), 'image/svg+xml').documentElement, true);
for (const symbol of sprites.querySelectorAll('symbol')) symbol.id = `icon-${symbol.id}`;
sprites.setAttribute('hidden', '');
document.body.append(sprites);
const template = /** @type {HTMLTemplateElement} */ (document.getElementById('card-template'));
for (const root of [document, template.content]) {
  for (const use of root.querySelectorAll('use[href]')) use.setAttribute('href', (use.getAttribute('href') ?? '').replace(/^.*#/, '#icon-'));
}
await import('./main.js');
