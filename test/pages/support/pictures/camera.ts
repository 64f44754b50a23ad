import { join } from "node:path";
import type { Page } from "playwright-core";

export type Size = readonly [width: number, height: number];

/** Sizes that pictures are taken at: a window, WWE's two gadget sizes, a phone. */
export const sizes = {
  window: [1000, 760],
  gadget: [300, 500],
  frame: [400, 600],
  laptop: [1280, 800],
  phone: [390, 844],
} as const satisfies Readonly<Record<string, Size>>;

export interface Shot {
  readonly size: Size;
  readonly dark?: boolean;
}

/** Takes pictures of pages into one folder. With `everything`, each state at each size, light and dark, to look through. */
export class Camera {
  readonly #folder: string;
  readonly #everything: boolean;

  constructor(folder: string, everything: boolean) {
    this.#folder = folder;
    this.#everything = everything;
  }

  /** Pictures of what the page shows now. @param shots by the end of the file's name; "" for none */
  async take(
    page: Page,
    state: string,
    shots: Readonly<Record<string, Shot>>,
    all: readonly Size[],
  ): Promise<void> {
    const wanted = this.#everything ? every(all) : shots;
    const before = page.viewportSize();
    for (const [end, { size, dark = false }] of Object.entries(wanted)) {
      const [width, height] = size;
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: dark ? "dark" : "light", reducedMotion: "reduce" });
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
      const name = end === "" ? state : `${state}-${end}`;
      if (this.#everything) await tellOverflow(page, name);
      await page.screenshot({ path: join(this.#folder, `${name}.png`) });
    }
    if (before !== null) await page.setViewportSize(before);
    await page.emulateMedia({ colorScheme: "light" });
  }
}

function every(all: readonly Size[]): Record<string, Shot> {
  const shots = all.flatMap((size) => [false, true].map((dark) => ({ size, dark })));
  return Object.fromEntries(shots.map((shot) => [`${shot.size.join("x")}${shot.dark ? "-dark" : ""}`, shot]));
}

/** What does not fit the window is said, since a picture does not show it. */
async function tellOverflow(page: Page, name: string): Promise<void> {
  const { right, below } = await page.evaluate(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
    return { right: scrollWidth - clientWidth, below: scrollHeight - clientHeight };
  });
  if (right > 0 || below > 0) console.log(`${name}: ${right} px to the right, ${below} px below`);
}
