import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { SHORTCUTS } from "../keyboard.ts";

/** All keys of the page. */
export function Help({ close }: { readonly close: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  return (
    <dialog ref={dialog} class="help" data-testid="help" aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">Keys</h2>
      <dl class="shortcuts">
        {SHORTCUTS.map(({ key, what }) => (
          <div key={key}>
            <dt>
              <kbd>Alt</kbd> <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>0</kbd> … <kbd>#</kbd>
          </dt>
          <dd>Send tones in a call</dd>
        </div>
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Close what is open</dd>
        </div>
      </dl>
      <button type="button" class="wide" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
