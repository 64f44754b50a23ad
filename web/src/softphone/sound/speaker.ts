/**
 * Plays the far end on the page's audio element.
 * @param blocked the browser does not let the page play before it is clicked
 */
export function playRemote(
  element: HTMLAudioElement,
  stream: MediaStream | undefined,
  blocked: () => void,
): void {
  element.srcObject = stream ?? null;
  if (stream === undefined) return;
  element.play().catch((error: unknown) => {
    // Replaced or ended before it began: nothing is lost.
    if (error instanceof Error && error.name === "AbortError") return;
    blocked();
    document.addEventListener("click", () => void element.play(), { once: true });
  });
}
