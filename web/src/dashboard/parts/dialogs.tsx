import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Act } from "../store/acts.ts";
import type { Notice } from "../store/dashboard.ts";

interface ModalProps {
  readonly label: string;
  readonly testId: string;
  readonly children: ComponentChildren;
  /** Left out: it cannot be closed. */
  readonly onClose?: () => void;
}

/** A dialog over the page; the browser keeps the focus in it and gives it back. */
export function Modal({ label, testId, children, onClose }: ModalProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label={label}
      data-testid={testId}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      {children}
    </dialog>
  );
}

export function Question({ act, onAnswer }: { act: Act; onAnswer: (yes: boolean) => void }): JSX.Element {
  return (
    <Modal label={act.name} testId="question" onClose={() => onAnswer(false)}>
      <h2>{act.name}</h2>
      <p>{act.question}</p>
      <div class="buttons">
        <button type="button" onClick={() => onAnswer(false)}>
          Cancel
        </button>
        <button type="button" class="stop" data-testid="yes" onClick={() => onAnswer(true)}>
          {act.name}
        </button>
      </div>
    </Modal>
  );
}

/** What came of what was done. */
export function Notices(props: { list: readonly Notice[]; onDismiss: (id: number) => void }): JSX.Element {
  return (
    <div class="notices" role="status" data-testid="notices">
      {props.list.map(({ id, bad, text }) => (
        <p key={id} data-bad={bad}>
          <span>{text}</span>
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => props.onDismiss(id)}>
            ✕
          </button>
        </p>
      ))}
    </div>
  );
}
