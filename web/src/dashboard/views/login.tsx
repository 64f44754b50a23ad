import type { JSX } from "preact";
import { Modal } from "../parts/dialogs.tsx";
import type { Dashboard, Session } from "../store/dashboard.ts";

interface LoginProps {
  readonly session: Extract<Session, { kind: "signed-out" }>;
  readonly dashboard: Dashboard;
}

export function LoginPage(props: LoginProps): JSX.Element {
  return (
    <main class="alone">
      <section class="card login">
        <h1>
          <img src="../jackfield.svg" alt="" width="28" height="28" /> Jackfield
        </h1>
        <LoginForm {...props} />
      </section>
    </main>
  );
}

/** Over the page, which stays as it is. */
export function LoginAgain(props: LoginProps): JSX.Element {
  return (
    <Modal label="Log in again" testId="login-again">
      <h2>Log in again</h2>
      <p>Your login has ended. What you see stays as it is, but is no longer live.</p>
      <LoginForm {...props} />
    </Modal>
  );
}

function LoginForm({ session, dashboard }: LoginProps): JSX.Element {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const text = (name: string): string => {
      const value = fields.get(name);
      return typeof value === "string" ? value : "";
    };
    void dashboard.logIn(text("username"), text("password"));
  };
  return (
    <form onSubmit={submit} data-testid="login">
      <label for="name">Name</label>
      <input id="name" name="username" autocomplete="username" spellcheck={false} required autofocus />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required />
      {session.error !== undefined && (
        <p class="alert" role="alert" data-testid="login-error">
          Login failed: {session.error}.
        </p>
      )}
      <button type="submit" class="go" disabled={session.busy}>
        {session.busy ? "Logging in…" : "Log in"}
      </button>
    </form>
  );
}

export function Off(): JSX.Element {
  return (
    <main class="alone">
      <section class="card login" data-testid="off">
        <h1>The dashboard is off</h1>
        <p>
          Jackfield has no one who may log in here. Name users under <code>admin.users</code> or set{" "}
          <code>admin.tokenFile</code> in its configuration, and start it again. The configuration reference
          tells how (docs/configuration.md, docs/dashboard.md).
        </p>
      </section>
    </main>
  );
}

export function Unreachable({ error, onRetry }: { error: string; onRetry: () => void }): JSX.Element {
  return (
    <main class="alone">
      <section class="card login" data-testid="unreachable">
        <h1>No answer</h1>
        <p role="alert">{error}. Is it running, and does a proxy in between let /api through?</p>
        <button type="button" class="go" onClick={onRetry}>
          Try again
        </button>
      </section>
    </main>
  );
}
