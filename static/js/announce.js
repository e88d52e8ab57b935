/** The one live region: the newest sentence wins, and not more than one comes in a second and a half. */

import { byId } from './dom.js';

const PAUSE_MS = 1500;

export function createAnnouncer() {
  const region = byId('live');
  let next = '';
  let free = true;

  function speak() {
    if (!next || !free) return;
    region.textContent = next;
    next = '';
    free = false;
    setTimeout(() => {
      free = true;
      speak();
    }, PAUSE_MS);
  }

  return (sentence) => {
    next = sentence;
    speak();
  };
}
