import { byId } from "./dom.ts";
import type { Credentials, Remembered } from "../phone/settings.ts";

/** The sign-in form. `submit` runs in the person's click or key press; what it throws is not handled here. */
export class SignInView {
  readonly #form = byId("sign-in", HTMLFormElement);
  readonly #dn = byId("dn", HTMLInputElement);
  readonly #password = byId("password", HTMLInputElement);
  readonly #server = byId("server", HTMLInputElement);
  readonly #domain = byId("domain", HTMLInputElement);
  readonly #go = byId("sign-in-go", HTMLButtonElement);

  constructor(first: Remembered, submit: (credentials: Credentials) => void) {
    this.#dn.value = first.dn;
    this.#server.value = first.server;
    this.#domain.value = first.domain;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit({
        dn: this.#dn.value.trim(),
        password: this.#password.value,
        server: this.#server.value.trim(),
        domain: this.#domain.value.trim(),
      });
    });
    (first.dn === "" ? this.#dn : this.#password).focus();
  }

  render(signedIn: boolean): void {
    if (signedIn && !this.#form.hidden) this.#password.value = "";
    this.#form.hidden = signedIn;
  }

  busy(on: boolean): void {
    this.#go.disabled = on;
    this.#go.textContent = on ? "Asking for the microphone…" : "Sign in";
  }

  /** After a refusal: the password is what is typed again. */
  again(): void {
    this.#password.focus();
    this.#password.select();
  }
}
