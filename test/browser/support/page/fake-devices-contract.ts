export interface FakeDevice {
  readonly kind: "audioinput" | "audiooutput";
  readonly id: string;
  readonly label: string;
  /** Hz, of microphones. */
  readonly tone?: number;
}

/**
 * Devices that a test plugs in and pulls out: put into a page before its own scripts. Each microphone gives a tone of its
 * own; what an audio element plays is heard on the output that it was set to.
 */
export interface FakeDevices {
  /** What was asked of `getUserMedia`, the last one last. */
  readonly asked: readonly MediaTrackConstraints[];
  /** Notifications that are shown. */
  readonly notices: readonly { readonly title: string; readonly body: string }[];
  plug(...devices: readonly FakeDevice[]): void;
  unplug(...labels: readonly string[]): void;
  /** Another program holds this microphone from now on. */
  hold(id: string): void;
  /** The page may make no sound until somebody clicks in it. */
  silence(on: boolean): void;
  /** Puts the page out of sight. */
  hide(hidden: boolean): void;
  /** Loudest frequency of what comes out of the output of this name, Hz; 0: nothing. */
  heardOn(label: string): Promise<number>;
  /** Volume of what comes out there, 0: nothing does. */
  volumeOn(label: string): number;
  /** Copies of the microphone that still run. */
  copies(): number;
  /** Connections of the page's that send a microphone that runs. */
  sending(): number;
  /** A far end for the page's last connection, with a tone of 900 Hz. @returns its SDP answer */
  answer(): Promise<string>;
  /** Loudest frequency of what arrives at the far end, Hz; 0: nothing. */
  heardThere(): Promise<number>;
}

declare global {
  interface Window {
    fakeDevices: FakeDevices;
  }
}
