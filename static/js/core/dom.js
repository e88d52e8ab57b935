/** Making elements. Text from outside goes in as text only. */

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] `on…` are listeners (none where undefined), `data-…` and `aria-…` attributes, others properties
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {any}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  if (tag === 'button') element.setAttribute('type', tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name.includes('-') || name === 'for' || name === 'role') element.setAttribute(name, value);
    else /** @type {any} */ (element)[name] = value;
  }
  element.append(...children.filter((child) => child instanceof Node || Boolean(child)).map((child) => /** @type {Node|string} */ (child)));
  return element;
}

/** @param {any} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Runs `task` once before the next picture, however often it is asked for. @param {() => void} task */
export function oncePerFrame(task) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      task();
    });
  };
}
