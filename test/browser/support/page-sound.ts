import type { Page } from "playwright-core";

/** Loudest of what the shipped page plays within a second, from its audio element's own stream; negative: it plays none. */
export async function levelPlayed(page: Page): Promise<number> {
  return await page.evaluate(async () => {
    const element = document.querySelector("#remote");
    if (!(element instanceof HTMLAudioElement) || !(element.srcObject instanceof MediaStream)) return -1;
    if (element.paused) return -2;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(element.srcObject).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let loudest = 0;
    for (let at = 0; at < 20; at++) {
      // Sound takes its time: no event says that the next piece of it has been played.
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
      analyser.getFloatTimeDomainData(samples);
      loudest = Math.max(loudest, ...samples);
    }
    await context.close();
    return loudest;
  });
}
