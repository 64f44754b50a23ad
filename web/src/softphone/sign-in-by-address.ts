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
  if (softphone.snapshot.dn !== undefined) {
    tell("Somebody is signed in already: the sign-in of this address was not used. Sign out first.");
    return;
  }
  if (token !== "") {
    const signIn = await exchangeToken(token);
    if (typeof signIn === "string") tell(signIn);
    else await softphone.signIn({ ...first(), dn: signIn.dn, password: "", ha1: signIn.ha1 });
  } else if (passwordAllowed) await softphone.signIn({ ...first(), dn, password });
  else tell("This gateway takes no password from an address. Type it here.");
}
