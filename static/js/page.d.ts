/** What the page's views share. Types alone: no browser fetches this file. */

import type { Client, FileView, Format, Session, Translate } from './core/types.js';

/** What every view is given. Made once, in main.js. */
export interface Page {
  client: Client;
  session: Session;
  t: Translate;
  format: Format & { seconds(seconds: number): string };
  notices: ReturnType<typeof import('./notices.js').createNotices>;
  announce: (sentence: string) => void;
  models: ReturnType<typeof import('./models.js').createModelWatch>;
  /** What an image can show of an address of `client.url`. */
  address: (url: string) => Promise<string>;
  show: (image: HTMLImageElement, url: string) => void;
  openFile: (id: string) => void;
  retryFile: (file: FileView) => void;
  /** Says that the photo looks fine. */
  accept: (file: FileView) => Promise<void>;
  /** A refusal becomes a notice. */
  attempt: (action: () => unknown) => Promise<void>;
}

/** `percentage` null: something moves, nobody knows how far. */
export interface Notice {
  kind: 'info' | 'look' | 'failed';
  title: string;
  detail?: string;
  percentage?: number | null;
  actions?: { label: string; act: () => void }[];
  dismiss?: () => void;
}

/** `seen`: it came near the window, and asks for its picture. */
export type Card = { element: any; file: FileView | null; seen: boolean; part: Record<string, any> };
/** `spare`: where the browser cannot show `src`, as with HEIC and TIFF. */
export type Picture = { src: string; spare: string };
export type Place = { job: string; file: string };
export type Viewer = ReturnType<typeof import('./viewer.js').createViewer>;
