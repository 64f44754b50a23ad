import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Remembered } from "../phone/settings.ts";
import type { ViewProps } from "./props.ts";

/** The sign-in form. What is typed stays in the form: a password lies nowhere else. */
export function SignIn({
  softphone,
  snapshot,
  first: begin,
}: ViewProps & { readonly first: () => Remembered }): JSX.Element {
  const [first] = useState(begin);
  const form = useRef<HTMLFormElement>(null);
  const dn = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const { refusals, signingIn } = snapshot;

  useLayoutEffect(() => {
    const field = first.dn === "" && refusals === 0 ? dn.current : password.current;
    field?.focus();
    field?.select();
  }, [refusals]);

  function submit(event: Event): void {
    event.preventDefault();
    if (form.current === null) return;
    const fields = new FormData(form.current);
    const text = (name: string): string => {
      const value = fields.get(name);
      return typeof value === "string" ? value : "";
    };
    void softphone.signIn({
      dn: text("username").trim(),
      password: text("password"),
      server: text("server").trim(),
      domain: text("domain").trim(),
    });
  }

  return (
    <form id="sign-in" ref={form} data-testid="sign-in" autocomplete="on" onSubmit={submit}>
      <h2>Sign in</h2>
      <label for="dn">Your number (DN)</label>
      <input
        id="dn"
        name="username"
        ref={dn}
        data-testid="dn"
        autocomplete="username"
        spellcheck={false}
        defaultValue={first.dn}
        required
      />
      <label for="password">Password</label>
      <input
        id="password"
        name="password"
        ref={password}
        data-testid="password"
        type="password"
        autocomplete="current-password"
        required
      />
      <ServerFields first={first} />
      {softphone.places.show("signIn", snapshot)}
      <button type="submit" class="go wide" id="sign-in-go" data-testid="sign-in-go" disabled={signingIn}>
        {signingIn ? "Asking for the microphone…" : "Sign in"}
      </button>
      <p class="hint">The browser will ask for your microphone once, so that calls are answered at once.</p>
    </form>
  );
}

function ServerFields({ first }: { readonly first: Remembered }): JSX.Element {
  return (
    <details>
      <summary>Server</summary>
      <label for="server">WebSocket address</label>
      <input
        id="server"
        name="server"
        data-testid="server"
        spellcheck={false}
        inputmode="url"
        defaultValue={first.server}
        required
      />
      <label for="domain">SIP domain</label>
      <input
        id="domain"
        name="domain"
        data-testid="domain"
        spellcheck={false}
        defaultValue={first.domain}
        required
      />
    </details>
  );
}
