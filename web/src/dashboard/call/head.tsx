import type { JSX } from "preact";
import { duration } from "../../shared/words.ts";
import type { Call, Trace } from "../api/contract.ts";
import { At, Lamp, Mos } from "../parts/bits.tsx";
import { callWords, endWords } from "../store/words.ts";
import type { ViewProps } from "../views/props.ts";

interface HeadProps extends ViewProps {
  readonly id: string;
  /** While it runs. */
  readonly call: Call | undefined;
  readonly trace: Trace | undefined;
  readonly onCopy: () => void;
}

/** Who, since when, how it goes, and what can be done about it. */
export function CallHead(props: HeadProps): JSX.Element {
  const { call, trace, now } = props;
  const facts = call ?? trace;
  const inward = facts?.direction === "to-agent";
  return (
    <header class="call-head">
      <div>
        <h2 data-testid="call-title">
          {facts ? `${facts.dn} ${inward ? "←" : "→"} ${facts.far_number}` : "Call"}
        </h2>
        <Lamp {...stateOf(props)} />
        {call && <span class="clock">{duration(now - Date.parse(call.since))}</span>}
        {call && <Mos value={call.mos} />}
      </div>
      <Facts call={call} trace={trace} id={props.id} />
      <Buttons {...props} />
    </header>
  );
}

function stateOf({ call, trace }: HeadProps): { text: string; tone: "good" | "wait" | "bad" | "plain" } {
  if (call) return callWords(call.state, call.held);
  if (!trace) return { text: "unknown", tone: "plain" };
  const { status, reason } = trace;
  const bad = status !== null && status >= 300;
  const text = `${callWords(trace.state).text} ${endWords(status, reason)}`.trim();
  return { text, tone: bad ? "bad" : "plain" };
}

function Facts(props: { call: Call | undefined; trace: Trace | undefined; id: string }): JSX.Element {
  const { call, trace, id } = props;
  const since = call?.since ?? trace?.since;
  const uuid = call?.call_uuid ?? trace?.call_uuid;
  const codecs = call && (call.codecs.browser !== null || call.codecs.sip_server !== null);
  return (
    <dl class="facts">
      {since !== undefined && <Fact name="Began" value={<At iso={since} />} />}
      {codecs && (
        <Fact name="Codecs" value={`${call.codecs.browser ?? "?"} ⇄ ${call.codecs.sip_server ?? "?"}`} />
      )}
      {call?.server && <Fact name="SIP Server" value={call.server} />}
      {uuid && <Fact name="CallUUID" value={uuid} />}
      {trace && <Fact name="Call-ID, browser" value={trace.call_ids.browser.join(", ") || "–"} />}
      {trace && <Fact name="Call-ID, SIP Server" value={trace.call_ids.sip_server.join(", ") || "–"} />}
      <Fact name="Id" value={id} />
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: JSX.Element | string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Buttons({ dashboard, state, operates, call, id, onCopy, trace }: HeadProps): JSX.Element {
  const { acts, api } = dashboard;
  const file = call?.capture ?? state.open?.capture;
  const copyLink = (): void => {
    navigator.clipboard?.writeText(location.href).then(
      () => dashboard.tell("Link copied."),
      () => dashboard.tell("The browser gave no access to the clipboard: copy the address instead.", true),
    );
  };
  return (
    <div class="buttons">
      <button type="button" onClick={onCopy} disabled={!trace} data-testid="copy-text">
        Copy as text
      </button>
      <button type="button" onClick={copyLink} data-testid="copy-link">
        Copy link
      </button>
      {operates && call && state.live.gateway?.captures !== false && (
        <button
          type="button"
          data-testid="capture"
          onClick={() => dashboard.ask(call.capture === null ? acts.startCapture(id) : acts.stopCapture(id))}
        >
          {call.capture === null ? "Start capture" : "Stop capture"}
        </button>
      )}
      {operates && file !== undefined && (
        <a class="button" href={api.captureUrl(file)} download={file} data-testid="download">
          Download capture
        </a>
      )}
      {operates && call && (
        <button
          type="button"
          class="stop"
          data-testid="hang-up"
          onClick={() => dashboard.ask(acts.hangUp(call))}
        >
          Hang up
        </button>
      )}
      {!operates && call && <span class="hint">Hanging up and captures need role operate.</span>}
    </div>
  );
}
