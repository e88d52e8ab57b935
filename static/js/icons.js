/** The icons laid into the page: they are shown then whether the server answers or not, and whatever the page's origin. */

export async function layIcons() {
  const answer = await fetch(new URL('../img/icons.svg', import.meta.url));
  const sprites = document.importNode(new DOMParser().parseFromString(await answer.text(), 'image/svg+xml').documentElement, true);
  for (const symbol of sprites.querySelectorAll('symbol')) symbol.id = `icon-${symbol.id}`;
  sprites.setAttribute('hidden', '');
  document.body.append(sprites);
}
