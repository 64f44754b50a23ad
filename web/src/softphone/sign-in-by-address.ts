import type { Remembered } from "./phone/settings.ts";
import type { AskedSignIn } from "./phone/sign-in-address.ts";
import { exchangeToken } from "./phone/sign-in-token.ts";
import type { Softphone } from "./softphone.ts";

interface AddressSignIn {
  /** What stands in the sign-in form before anybody types. */
  readonly first: () => Remembered;
  /** `page.allowPasswordInUrl` */
  readonly passwordAllowed: boolean;
}

/** Signs in with what the page's address asked for; what prevents it is told as a notice. */
export async function signInByAddress(
  softphone: Softphone,
  { dn, token, password }: AskedSignIn,
  { first, passwordAllowed }: AddressSignIn,
): Promise<void> {
  if (token === "" && password === "") return;
  const tell = (text: string): void => softphone.notices.tell(text, true);
  const occupied = (): boolean => softphone.snapshot.dn !== undefined || softphone.snapshot.signingIn;
  if (occupied()) return tell(OCCUPIED);
  if (token === "" && !passwordAllowed)
    return tell("This gateway takes no password from an address. Type it here.");
  const credentials = token === "" ? { dn, password } : await exchangeToken(token);
  if (typeof credentials === "string") return tell(credentials);
  // A person may have signed in meanwhile.
  if (occupied()) return tell(OCCUPIED);
  await softphone.signIn({ ...first(), password: "", ...credentials });
}

export const OCCUPIED =
  "Somebody is signed in already: the sign-in of this address was not used. Sign out first.";
