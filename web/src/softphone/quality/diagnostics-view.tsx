import type { JSX } from "preact";
import { useState } from "preact/hooks";

/** Puts all that support needs on the clipboard; where the browser forbids that, shows it to be copied by hand. */
export function DiagnosticsView({ collect }: { readonly collect: () => Promise<string> }): JSX.Element {
  const [said, say] = useState("");
  const [shown, show] = useState("");
  const copy = async (): Promise<void> => {
    const text = await collect();
    try {
      // There is none on pages that are not secure, other than the types say.
      await navigator.clipboard.writeText(text);
      show("");
      say("Copied. Paste it into the ticket.");
    } catch {
      show(text);
      say("The browser does not let this page copy. Select the text and copy it by Ctrl+C.");
    }
  };
  return (
    <fieldset class="diagnostics">
      <legend>Support</legend>
      <p class="hint">
        What support needs to know of this page, its connection and its calls. No password is in it.
      </p>
      <button type="button" data-testid="copy-diagnostics" onClick={() => void copy()}>
        Copy diagnostics
      </button>
      <p class="hint" role="status" data-testid="diagnostics-said">
        {said}
      </p>
      {shown !== "" && (
        <textarea
          readOnly
          data-testid="diagnostics-text"
          aria-label="Diagnostics"
          rows={8}
          value={shown}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
      )}
    </fieldset>
  );
}
