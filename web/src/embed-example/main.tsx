import { render, type ComponentChildren, type JSX } from "preact";
import { JackfieldPhone, PhoneError, type EventName } from "../../sdk/jackfield-phone.ts";

const LONGEST_LOG = 200;
const EVENTS: readonly EventName[] = [
  "ready",
  "registered",
  "unregistered",
  "registration_failed",
  "incoming_call",
  "call_progress",
  "call_accepted",
  "call_ended",
  "call_failed",
  "muted",
  "unmuted",
  "quality",
  "device",
];

const place = document.getElementById("example");
if (place === null) throw new Error("embed-example.html has no place for the example");

const log: { readonly kind: string; readonly text: string }[] = [];
const asked = new URLSearchParams(location.search);
const size = asked.get("size") === "400x600" ? { width: 400, height: 600 } : { width: 300, height: 500 };

function tell(kind: string, what: unknown): void {
  log.unshift({ kind, text: JSON.stringify(what) });
  log.length = Math.min(log.length, LONGEST_LOG);
  draw();
}

/** Says what became of a command. */
function say(command: string, done: Promise<unknown>): void {
  done.then(
    (result) => tell(`${command}: ok`, result),
    (error: unknown) =>
      tell(
        `${command}: refused`,
        error instanceof PhoneError ? { code: error.code, text: error.message } : String(error),
      ),
  );
}

function field(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value.trim() : "";
}

/** A form of its own for each command that needs fields. */
function Act({
  name,
  run,
  children,
}: {
  readonly name: string;
  readonly run: (form: HTMLFormElement) => Promise<unknown>;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        say(name, run(event.currentTarget));
      }}
    >
      {children}
      <button type="submit" data-testid={name}>
        {name}
      </button>
    </form>
  );
}

function Field({
  name,
  type = "text",
}: {
  readonly name: string;
  readonly type?: "text" | "password";
}): JSX.Element {
  return (
    <label>
      {name}{" "}
      {type === "password" ? (
        <input name={name} type="password" autocomplete="off" />
      ) : (
        <input name={name} autocomplete="off" />
      )}
    </label>
  );
}

function Commands(): JSX.Element {
  const call = (form: HTMLFormElement): string | undefined => field(form, "call_id") || undefined;
  return (
    <section class="commands" aria-label="Commands">
      <h2>Commands</h2>
      <Act
        name="sign_in"
        run={(form) => phone.signIn({ dn: field(form, "dn"), password: field(form, "password") })}
      >
        <Field name="dn" />
        <Field name="password" type="password" />
      </Act>
      <Act name="sign_in by token" run={(form) => phone.signIn({ token: field(form, "token") })}>
        <Field name="token" type="password" />
      </Act>
      <Act name="sign_out" run={() => phone.signOut()} />
      <Act name="get_status" run={() => phone.getStatus()} />
      <Act name="make_call" run={(form) => phone.makeCall(field(form, "number"))}>
        <Field name="number" />
      </Act>
      <Act name="answer_call" run={() => phone.answerCall()} />
      <Act name="hangup" run={() => phone.hangUp()} />
      <Act name="hold" run={() => phone.hold()} />
      <Act name="retrieve" run={() => phone.retrieve()} />
      <Act name="mute" run={() => phone.mute()} />
      <Act name="unmute" run={() => phone.unmute()} />
      <Act name="send_dtmf" run={(form) => phone.sendDtmf(field(form, "digits"))}>
        <Field name="digits" />
      </Act>
      <Act name="transfer" run={(form) => phone.transfer(field(form, "number"), call(form))}>
        <Field name="number" />
        <Field name="call_id" />
      </Act>
      <Act
        name="transfer to call"
        run={(form) => phone.transferToCall(field(form, "to_call_id"), call(form))}
      >
        <Field name="to_call_id" />
        <Field name="call_id" />
      </Act>
      <Act name="configure audio" run={() => phone.configure({ mode: "audio" })} />
      <Act name="configure phone" run={() => phone.configure({ mode: "phone" })} />
    </section>
  );
}

function Example(): JSX.Element {
  return (
    <>
      <Commands />
      <section aria-label="What the softphone said">
        <h2>What the softphone said</h2>
        <p>
          Click to dial: <a href="tel:+49-30-123">+49 30 123</a>
        </p>
        <ol data-testid="log" tabIndex={0} aria-label="Events and answers, newest first">
          {log.map(({ kind, text }) => (
            <li key={`${kind} ${text}`}>
              <b>{kind}</b> <code>{text}</code>
            </li>
          ))}
        </ol>
      </section>
    </>
  );
}

const frame = document.createElement("div");
const rest = document.createElement("div");
rest.className = "rest";
place.append(frame, rest);

function draw(): void {
  render(<Example />, rest);
}

// The softphone beside this page; elsewhere its whole address stands here.
const phone = new JackfieldPhone({
  url: "./index.html",
  container: frame,
  ...size,
  ...(asked.get("mode") === "audio" ? { mode: "audio" } : {}),
});
for (const event of EVENTS) phone.on(event, (data) => tell(event, data));
phone.ready.catch((error: unknown) => tell("no softphone", String(error)));
phone.dialLinks(document.body, (error) => tell("click to dial: refused", String(error)));
draw();
