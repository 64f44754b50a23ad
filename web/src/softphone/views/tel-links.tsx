import type { JSX } from "preact";

interface TelLinksProps {
  readonly tell: (text: string, problem: boolean) => void;
}

/** Registers the page for tel: links, which then open it with `#dial=`; the browser asks the person itself. */
export function TelLinks({ tell }: TelLinksProps): JSX.Element {
  function register(): void {
    try {
      navigator.registerProtocolHandler("tel", `${location.origin}${location.pathname}#dial=%s`);
      tell(
        "The browser asks whether this page may open tel: links. Links fill the number in; you press Call.",
        false,
      );
    } catch {
      // Insecure pages, frames of other origins, browsers without it.
      tell(
        "This browser does not let this page open tel: links. Open it by https:// in a tab of its own.",
        true,
      );
    }
  }
  return (
    <fieldset>
      <legend>Links to numbers</legend>
      <p class="hint">Telephone links (tel:) on other pages can open here, with the number filled in.</p>
      <button type="button" data-testid="tel-links" onClick={register}>
        Open tel: links here
      </button>
    </fieldset>
  );
}
