import type { Page } from "playwright-core";

/** A level (0 to 1) that nothing but sound has. */
const sound = 0.02;

/**
 * Loudest of what the shipped page plays until there is sound, from its audio element's own stream; negative: it plays
 * none.
 * @param longestMs waits for sound no longer than this
 */
export async function levelPlayed(page: Page, longestMs = 5000): Promise<number> {
  return await page.evaluate(
    async ([enough, looks]) => {
      const element = document.querySelector("#remote");
      if (!(element instanceof HTMLAudioElement) || !(element.srcObject instanceof MediaStream)) return -1;
      if (element.paused) return -2;
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      context.createMediaStreamSource(element.srcObject).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      let loudest = 0;
      for (let at = 0; at < looks && loudest < enough; at++) {
        // Sound takes its time: no event says that the next piece of it has been played.
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
        analyser.getFloatTimeDomainData(samples);
        loudest = Math.max(loudest, ...samples);
      }
      await context.close();
      return loudest;
    },
    [sound, longestMs / 50] as const,
  );
}
