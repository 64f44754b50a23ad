import type { ComponentChildren } from "preact";
import type { CallSnapshot } from "./phone/call-snapshot.ts";
import type { SoftphoneSnapshot } from "./snapshot.ts";

/** Where on the page other parts show something of theirs. */
export interface PlaceProps {
  /** In the bar at the top, after the number. */
  header: SoftphoneSnapshot;
  /** On the sign-in form, above its button. */
  signIn: SoftphoneSnapshot;
  /** In place of the sign-in form, where somebody else signs the page in. */
  signedOut: SoftphoneSnapshot;
  /** Above the calls: agent state and the like. */
  account: SoftphoneSnapshot;
  /** In the call that is shown, under its timer. */
  quality: CallSnapshot;
  /** In the drawer behind the button "Settings". */
  settings: SoftphoneSnapshot;
}

export type Place = keyof PlaceProps;
export type PlaceView<P extends Place> = (shown: PlaceProps[P]) => ComponentChildren;

/** What the parts of the page have put in its places, in the order they came. */
export class Places {
  readonly #views: { readonly [P in Place]: PlaceView<P>[] } = {
    header: [],
    signIn: [],
    signedOut: [],
    account: [],
    quality: [],
    settings: [],
  };

  put<P extends Place>(place: P, view: PlaceView<P>): void {
    this.#views[place].push(view);
  }

  show<P extends Place>(place: P, shown: PlaceProps[P]): ComponentChildren[] {
    return this.#views[place].map((view) => view(shown));
  }

  has(place: Place): boolean {
    return this.#views[place].length > 0;
  }
}
