/** Texts that the embedded views have and the page has not; the other languages are with the page's. */
export const OWN_MESSAGES = { dropHere: 'Drop photos, a folder or a ZIP here', startOver: 'New photos', options: 'Options' };
