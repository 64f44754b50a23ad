/** How long a browser may take to start a context that it lets run. */
const STARTS_MS = 1000;

/**
 * Browsers may let a page play sound only once somebody has clicked in it: better said before a call than in it.
 * @param told whether a click is waited for
 */
export function watchSoundLeave(told: (blocked: boolean) => void): void {
  const probe = new AudioContext();
  const timer = setTimeout(() => told(true), STARTS_MS);
  const wake = (): void => void probe.resume().catch(() => undefined);
  probe.addEventListener("statechange", () => {
    if (probe.state !== "running") return;
    clearTimeout(timer);
    for (const event of ["pointerup", "keydown"]) document.removeEventListener(event, wake);
    probe.close().catch(() => undefined);
    told(false);
  });
  for (const event of ["pointerup", "keydown"]) document.addEventListener(event, wake);
  wake();
}
