import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Trace } from "../api/contract.ts";
import { CallHead } from "../call/head.tsx";
import { Ladder } from "../call/ladder.tsx";
import type { Shown } from "../call/layout.ts";
import { Message } from "../call/message.tsx";
import { CountersCard, SoundCard } from "../call/sound.tsx";
import { Card } from "../parts/bits.tsx";
import { Modal } from "../parts/dialogs.tsx";
import type { Dashboard } from "../store/dashboard.ts";
import type { ViewProps } from "./props.ts";

export function CallView(props: ViewProps & { readonly id: string }): JSX.Element {
  const { dashboard, state, id } = props;
  const call = state.live.calls.get(id);
  const open = state.open?.id === id ? state.open : undefined;
  const trace = open?.trace;
  const [selected, setSelected] = useState<number>();
  const [text, setText] = useState<string>();
  const entry = selected === undefined ? undefined : trace?.entries[selected];
  useEscape(() => setSelected(undefined));
  const select = useCallback((index: number) => setSelected(index), []);
  return (
    <div class="call" data-testid="call">
      <CallHead
        {...props}
        call={call}
        trace={trace}
        onCopy={() => void copyText(dashboard, id).then(setText)}
      />
      {open?.error !== undefined && (
        <p class="alert" role="alert" data-testid="call-error">
          {trace ? "The trace is not live now" : "This call cannot be shown"}: {open.error}.
        </p>
      )}
      <div class="call-body">
        <TraceCard trace={trace} loading={open?.error === undefined} selected={selected} onSelect={select} />
        <div class="call-side">
          {entry?.kind === "sip" && <Message entry={entry} onClose={() => setSelected(undefined)} />}
          <SoundCard call={call} trace={trace} />
          <CountersCard trace={trace} />
        </div>
      </div>
      {text !== undefined && <TextDialog text={text} onClose={() => setText(undefined)} />}
    </div>
  );
}

interface TraceCardProps {
  readonly trace: Trace | undefined;
  readonly loading: boolean;
  readonly selected: number | undefined;
  readonly onSelect: (index: number) => void;
}

const kinds = [
  ["states", "States"],
  ["media", "Media"],
] as const;

function TraceCard({ trace, loading, selected, onSelect }: TraceCardProps): JSX.Element {
  const [shown, setShown] = useState<Shown>({ states: true, media: true });
  const choices = (
    <div class="choices" role="group" aria-label="Shown beside messages">
      {kinds.map(([kind, label]) => (
        <label key={kind} class="inline">
          <input
            type="checkbox"
            checked={shown[kind]}
            onChange={({ currentTarget }) => setShown({ ...shown, [kind]: currentTarget.checked })}
          />{" "}
          {label}
        </label>
      ))}
    </div>
  );
  return (
    <Card title="Ladder" testId="trace" aside={choices}>
      {trace && trace.left_out > 0 && (
        <p class="hint">{trace.left_out} entries of the middle were left out for want of room.</p>
      )}
      {trace ? (
        <Ladder entries={trace.entries} shown={shown} selected={selected} onSelect={onSelect} />
      ) : (
        <p class="empty">{loading ? "Reading the trace…" : "There is no ladder."}</p>
      )}
    </Card>
  );
}

/** Where the browser refuses its clipboard (plain HTTP), the text is shown for the person to copy. */
async function copyText(dashboard: Dashboard, id: string): Promise<string | undefined> {
  const answer = await dashboard.api.traceText(id);
  if (!answer.ok) {
    dashboard.tell(`The text could not be read: ${answer.error}.`, true);
    return undefined;
  }
  try {
    await navigator.clipboard.writeText(answer.value);
    dashboard.tell("The trace is on the clipboard.");
    return undefined;
  } catch {
    return answer.value;
  }
}

function TextDialog({ text, onClose }: { text: string; onClose: () => void }): JSX.Element {
  return (
    <Modal label="The trace as text" testId="trace-text" onClose={onClose}>
      <h2>The trace as text</h2>
      <p>The browser gave no access to the clipboard. Select all and copy.</p>
      <textarea
        readOnly
        rows={16}
        aria-label="The trace"
        value={text}
        onFocus={(event) => event.currentTarget.select()}
      />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Modal>
  );
}

function useEscape(act: () => void): void {
  useEffect(() => {
    const escape = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) act();
    };
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, []);
}
