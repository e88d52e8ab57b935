/**
 * Puts the page together: the only place where things are made and wired.
 *
 * @import { Page, Place, Viewer } from './page.js'
 */

import { BASE, ELSEWHERE } from './base.js';
import { withAllCalls } from './core/calls.js';
import { OfflineError, createClient } from './core/client.js';
import { createSession } from './core/session.js';
import { isFinal, isRunning } from './core/store.js';
import { createFormat, secondsText } from './core/words.js';
import { byId, setIcon, translate } from './dom.js';
import { createIntake } from './intake.js';
import { createKeys } from './keys.js';
import { languageMenu, loadLanguage } from './language.js';
import { createModelWatch } from './models.js';
import { createNotices, createPageNotices, noticeOf } from './notices.js';
import { createOptions } from './options.js';
import { hashOf, onPlace, readPlace, replacePlace } from './place.js';
import { createAnnouncer, remember } from './shell.js';

const { code, t, read } = await loadLanguage();
translate(document, t);

const elsewhere = ELSEWHERE ? await import('./keyed.js') : null;
const client = withAllCalls(createClient(BASE, read, elsewhere?.keptKey()));
const keyed = client.keyed && elsewhere?.createKeyed(client);
const notices = createNotices(t);
const session = createSession(client, jobGone);

/** @type {Page} */
const page = {
  client,
  session,
  t,
  notices,
  format: { ...createFormat(t, code), seconds: (seconds) => secondsText(seconds, t) },
  announce: createAnnouncer(),
  models: createModelWatch(client),
  address: keyed ? keyed.address : async (url) => url,
  show: keyed ? keyed.show : (image, url) => { image.src = url; },
  openFile: (id) => attempt(async () => (await loadViewer()).enter(id)),
  retryFile: (file) => attempt(() => (file.id ? session.retry(file.id) : session.retryUpload(file.key))),
  accept: (file) => acceptAll([String(file.id)]),
  attempt,
};

const options = createOptions(page);
const intake = createIntake(page, {
  recipe: options.recipe,
  started,
  added: () => view?.comeIntoView(),
});
const print = (/** @type {string[]} */ ids = []) => attempt(async () => (await loadPrint()).open(ids));
/** @type {ReturnType<typeof import('./jobview.js').createJobView>|null} */ let view = null;
/** @type {ReturnType<typeof import('./cards.js').createCards>|null} */ let cards = null;
/** @type {Viewer|null} */ let viewer = null;
/** @type {ReturnType<typeof import('./jobs.js').createHistory>|null} */ let history = null;
/** @type {ReturnType<typeof import('./selection.js').createSelection>|null} */ let selection = null;
const openModels = () => attempt(async () => (await loadModels()).open());
createPageNotices(page, openModels);
const keys = createKeys(page, {
  viewer: () => viewer,
  acts: {
    o: intake.choose, h: openJobs, m: openModels, j: () => cards?.step(1), k: () => cards?.step(-1),
    p: () => view?.pauseOrResume(), r: () => view?.retryAll(), d: () => byId('download-zip').click(),
    Delete: () => selection?.size && selection.remove(),
    f: () => attempt(async () => (await import('./accepting.js')).acceptFocused(page, cards)), z: () => byId('toasts').querySelector('.toast:last-child button')?.click(),
    x: () => selection?.toggle(), a: () => selection?.toggleAll(), Escape: () => selection?.clear(),
    1: () => view?.filter('all'), 2: () => view?.filter('done'), 3: () => view?.filter('look'), 4: () => view?.filter('failed'),
  },
});

/** A module that is fetched when it is first needed, and asked for again where that failed. @template T @param {() => Promise<T>} fetched */
function lazily(fetched) {
  /** @type {Promise<T>|null} */ let coming = null;
  return () => (coming ??= fetched().catch(() => {
    coming = null;
    throw new OfflineError();
  }));
}

const loadHistory = lazily(async () => (history ??= (await import('./jobs.js')).createHistory(page)));
function openJobs() {
  return attempt(async () => (await loadHistory()).open());
}

/** Says that photos look fine. @param {string[]} ids */
const acceptAll = (ids) => attempt(async () => (await import('./accepting.js')).acceptPhotos(page, ids));

/** How many jobs run, in the header. */
async function countJobs() {
  if (history) return history.refresh();
  const { jobs } = await client.jobs({ limit: 50 }).catch(() => ({ jobs: [] })); // the page's notice tells of a server that does not answer
  const running = jobs.filter(isRunning).length;
  byId('jobs-label').textContent = running ? t('jobsRunning', { n: running }) : t('jobs');
}

/** The photos that the filter lets through, in order. */
const shownKeys = () => view?.shownKeys() ?? [];
const loadView = lazily(async () => (view ??= (await import('./jobview.js')).createJobView(page, {
  chooseNew: intake.choose, deleteJob: (job) => attempt(async () => (await loadHistory()).remove(job)), recipe: options.recipe, print, arrange: (filter) => cards?.arrange(filter), acceptAll,
})));
const loadCards = lazily(async () => {
  const [{ createCards }, { createDone }] = await Promise.all([import('./cards.js'), import('./done.js')]);
  createDone(page);
  return (cards ??= createCards(page));
});
const loadViewer = lazily(async () => (viewer ??= (await import('./viewer.js')).createViewer(page, shownKeys)));
const loadModels = lazily(async () => (await import('./modelsview.js')).createModelsView(page));
const loadSelection = lazily(async () => (selection ??= (await import('./selection.js'))
  .createSelection(page, { recipe: options.recipe, shownKeys, acceptAll, print })));
const loadPrint = lazily(async () => (await import('./print.js')).createPrint(page));
const loadUrls = lazily(async () => (await import('./urls.js')).createUrls(page, { recipe: options.recipe, started }));

/** @param {string} id */
function started(id) {
  location.hash = hashOf(id);
}

/** @param {() => Promise<unknown>|unknown} action */
async function attempt(action) {
  try {
    await action();
    notices.set('action', null);
  } catch (error) {
    notices.set('action', { ...noticeOf(error, t('noticeRefused')), dismiss: () => notices.set('action', null) });
  }
}

function jobGone() {
  viewer?.close();
  replacePlace();
  notices.set('place', { kind: 'look', title: t('noticeNoJob'), dismiss: () => notices.set('place', null) });
}

/** @param {Place} place */
async function go({ job, file }) {
  if (!file) viewer?.close();
  if (job !== session.store.get().job?.id) notices.set('action', null); // what was refused there
  if (!job) {
    if (!session.sending || session.store.get().job) session.close();
    return arrived();
  }
  loadCards().catch(() => {}); // the first photos ask once more
  try {
    await session.open(job);
    notices.set('place', null);
    if (file) {
      await loadView();
      (await loadViewer()).show(file);
    }
  } catch (error) {
    session.close();
    if (/** @type {any} */ (error).status === 404) jobGone();
    else {
      notices.set('place', { kind: 'failed', title: t('noticeNoServer'), actions: [{ label: t('tryAgain'), act: () => go({ job, file }) }] });
    }
  }
  arrived();
}

function arrived() {
  if (byId('main').dataset.view === 'loading') byId('main').dataset.view = 'empty';
  if (view) view.draw();
  else byId('empty').hidden = session.store.get().job !== null;
}

async function load() {
  try {
    const [{ notices: [told], url_ingest: takesUrls }] = await Promise.all([client.health(), options.load()]);
    if (takesUrls) loadUrls().catch(() => {}); // without it, files can be added still
    notices.set('server', told ? { kind: 'look', title: told.message } : null);
    notices.set('load', null);
  } catch (error) {
    if (/** @type {any} */ (error).status === 401) return elsewhere ? elsewhere.askKey(t) : location.assign(`${BASE}/signin`);
    notices.set('load', { ...noticeOf(error, t('noticeNoServer')), actions: [{ label: t('tryAgain'), act: load }] });
  }
}

function setUpTheme() {
  const button = byId('theme');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const { dataset } = document.documentElement;
  const isDark = () => (dataset.theme ? dataset.theme === 'dark' : dark.matches);
  const draw = () => {
    const label = t(isDark() ? 'themeToLight' : 'themeToDark');
    setIcon(button, isDark() ? 'sun' : 'moon');
    button.lastElementChild.textContent = label;
    button.title = label;
  };
  button.onclick = () => {
    dataset.theme = isDark() ? 'light' : 'dark';
    remember('theme', dataset.theme);
    draw();
  };
  dark.addEventListener('change', draw);
  draw();
}

function setUpHeader() {
  const nav = byId('nav');
  const menu = byId('menu-button');
  const setMenu = (open) => {
    menu.setAttribute('aria-expanded', String(open));
    nav.toggleAttribute('data-open', open);
  };
  menu.onclick = () => setMenu(menu.getAttribute('aria-expanded') !== 'true');
  nav.addEventListener('click', (event) => !event.target.closest('#theme') && setMenu(false));
  byId('open-jobs').onclick = openJobs;
  byId('open-models').onclick = openModels;
  byId('open-keys').onclick = keys.open;
  byId('open-keys').title = t('shortcuts');
  byId('skip').onclick = (event) => {
    event.preventDefault();
    byId('main').focus();
  };
  nav.append(languageMenu(code, t('language')));
  setUpTheme();
}

/** Fetches ahead what is needed soon, or once the server does not answer; without it, it is asked for again. @param {() => Promise<unknown>} fetched */
const whenIdle = (fetched) => (window.requestIdleCallback ?? setTimeout)(() => fetched().catch(() => {}));

/** A job that ends or begins changes the number in the header; with the first photos come their cards, and they can be selected. */
function watchJobs() {
  let last = '';
  session.store.subscribe(({ job, order }) => {
    if ((job || order.length) && !view) loadView().catch(() => {});
    if (order.length && !cards) {
      loadCards().catch(() => {});
      whenIdle(loadViewer);
    }
    if (order.length && !selection) loadSelection().catch(() => {});
    const now = job ? `${job.id} ${isFinal(job)}` : '';
    if (now !== last) countJobs();
    last = now;
  });
}

addEventListener('beforeunload', (event) => {
  if (session.busy) event.preventDefault();
});
addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible') return;
  session.refresh();
});
new BroadcastChannel('photo-processor').onmessage = session.refresh; // see undo.js

setUpHeader();
watchJobs();
onPlace(go);
go(readPlace() ?? { job: '', file: '' });
load();
countJobs();
page.models.refresh();
if (!ELSEWHERE) whenIdle(async () => (await import('./icons.js')).layIcons());
