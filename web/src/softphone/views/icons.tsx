import type { JSX } from "preact";

/** Line drawings on a field of 24 by 24, in the colour of their text. */
const DRAWINGS = {
  answer: "M5 4h4l2 5-3 2a12 12 0 0 0 5 5l2-3 5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2z",
  hangUp: "M2.6 13.5C7.8 8.4 16.2 8.4 21.4 13.5l-.7 3.3-4.6.6-.8-3.1a11 11 0 0 0-6.6 0l-.8 3.1-4.6-.6z",
  microphone: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4",
  muted: "M9 9v2a3 3 0 0 0 5 2.2M15 10V6a3 3 0 0 0-5.8-1M6 11a6 6 0 0 0 9.5 4.9M12 17v4M4 4l16 16",
  hold: "M8 5v14M16 5v14",
  retrieve: "M7 5l12 7-12 7z",
  keypad: "M5 5h.01M12 5h.01M19 5h.01M5 12h.01M12 12h.01M19 12h.01M5 19h.01M12 19h.01M19 19h.01",
  transfer: "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
  add: "M12 5v14M5 12h14",
  connect: "M6 6a3 3 0 1 0 .01 0M18 12a3 3 0 1 0 .01 0M9 9l6 5",
  erase: "M9 6h11v12H9l-6-6zM12 10l4 4M16 10l-4 4",
  settings: "M4 7h10M18 7h2M16 5v4M4 17h2M10 17h10M8 15v4",
  help: "M12 21a9 9 0 1 0-.01 0M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 17h.01",
  history: "M4 12a8 8 0 1 0 2.5-5.8L4 8M4 4v4h4M12 8v4l3 2",
  signOut: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  incoming: "M18 6L7 17M7 9v8h8",
  outgoing: "M6 18L17 7M9 7h8v8",
  missed: "M4 7l8 8 8-8M4 13V7h6",
} as const;

export type IconName = keyof typeof DRAWINGS;

/** Says nothing to a screen reader: the words beside it do. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={DRAWINGS[name]} />
    </svg>
  );
}
