import { describe, expect, it } from "vitest";
import {
  choose,
  devicesFor,
  follow,
  SYSTEM_DEFAULT,
  type Device,
  type Following,
} from "../../../web/src/softphone/sound/devices.ts";

function device(deviceId: string, label: string, groupId = `group-${label}`): Device {
  return { kind: "audioinput", deviceId, label, groupId };
}

const builtIn = device("b", "Built-in");
const headset = device("h", "Headset");
const wantsHeadset = { id: "h", label: "Headset" };
/** As Chrome lists them: its role first, in the group of the device it stands for. */
function asDefault({ label, groupId }: Device): Device {
  return device("default", `Default - ${label}`, groupId);
}

/** Follows one list of devices after the other. @returns the last step */
function through(lists: readonly (readonly Device[])[], wanted = wantsHeadset): Following {
  let now: Following | undefined;
  for (const list of lists) now = follow("microphone", now, list, wanted);
  if (now === undefined) throw new Error("no list");
  return now;
}

describe("the device to use", () => {
  it("is the wanted one by its id", () => {
    expect(choose("microphone", [builtIn, headset], wantsHeadset)).toEqual({
      id: "h",
      label: "Headset",
      missing: false,
      none: false,
    });
  });

  it("is the one of the wanted name when the browser gives other ids, unless two have that name", () => {
    const wanted = { id: "old", label: "Headset" };
    expect(choose("microphone", [builtIn, headset], wanted).id).toBe("h");
    const twins = [builtIn, headset, device("h2", "Headset")];
    expect(choose("microphone", twins, wanted)).toMatchObject({ id: "", missing: true });
    expect(choose("microphone", twins, wantsHeadset).id).toBe("h");
  });

  it("is the system's default, known by the device behind it, when the wanted one is not there", () => {
    expect(choose("microphone", [asDefault(builtIn), builtIn], wantsHeadset)).toEqual({
      id: "",
      label: "Built-in",
      missing: true,
      none: false,
    });
    const none = { id: "", label: "", missing: true, none: true };
    expect(choose("microphone", [], wantsHeadset)).toEqual(none);
    expect(choose("speaker", [builtIn], SYSTEM_DEFAULT)).toEqual({ ...none, missing: false });
  });

  it("is the wanted one unseen while the browser tells no ids yet", () => {
    const untold = [device("", "", "")];
    expect(choose("microphone", untold, wantsHeadset)).toMatchObject({ id: "h", missing: false });
    expect(devicesFor("microphone", untold)).toEqual([]);
  });

  it("is never one of another kind", () => {
    const speaker: Device = { ...headset, kind: "audiooutput" };
    expect(choose("microphone", [speaker, builtIn], wantsHeadset)).toMatchObject({ id: "", missing: true });
    expect(choose("ring", [speaker, builtIn], wantsHeadset).id).toBe("h");
  });
});

describe("a headset in use", () => {
  it("is left for the default at once when it is pulled out, and gone back to when it returns", () => {
    const pulled = [[builtIn, headset], [builtIn]];
    expect(through(pulled)).toMatchObject({
      switched: true,
      change: "gone",
      awaited: "Headset",
      choice: { id: "", label: "Built-in", missing: true },
    });
    expect(through([...pulled, [builtIn, headset]])).toMatchObject({
      switched: true,
      change: "back",
      awaited: "",
      choice: { id: "h" },
    });
    expect(through([...pulled, [builtIn, device("new id", "Headset")]])).toMatchObject({
      change: "back",
      choice: { id: "new id" },
    });
  });

  it("is told of once, whatever else comes and goes", () => {
    const other = device("w", "Webcam");
    const lists = [[builtIn, headset], [builtIn], [builtIn, other], [builtIn]];
    expect(through(lists)).toMatchObject({ switched: false, change: undefined, awaited: "Headset" });
    expect(through([...lists, [headset, builtIn]]).change).toBe("back");
  });

  it("that is not there at the beginning is told of, and taken when it comes", () => {
    expect(through([[builtIn]])).toMatchObject({ switched: false, change: "missing", awaited: "Headset" });
    expect(through([[builtIn], [builtIn, headset]])).toMatchObject({ switched: true, change: "back" });
  });

  it("may be the last device there was", () => {
    expect(through([[headset], []])).toMatchObject({ change: "gone", choice: { none: true } });
    expect(through([[headset], [], [headset]])).toMatchObject({ change: "back", choice: { none: false } });
  });

  it("is no loss where there was none before", () => {
    expect(through([[], [headset]], SYSTEM_DEFAULT)).toMatchObject({ switched: true, change: "changed" });
  });

  it("is followed as the system's default too", () => {
    const plugged = [asDefault(headset), headset, builtIn];
    const pulled = [asDefault(builtIn), builtIn];
    expect(through([plugged, pulled], SYSTEM_DEFAULT)).toMatchObject({ switched: true, change: "gone" });
    expect(through([plugged, pulled, plugged], SYSTEM_DEFAULT)).toMatchObject({ change: "back" });
    const moved = [asDefault(builtIn), headset, builtIn];
    expect(through([plugged, moved], SYSTEM_DEFAULT)).toMatchObject({ switched: true, change: "changed" });
  });
});

describe("no news", () => {
  it("is a name that the browser tells only after it was allowed to", () => {
    const untold = [device("", "", "")];
    const lists = [untold, [asDefault(builtIn), builtIn]];
    expect(through(lists, SYSTEM_DEFAULT)).toMatchObject({ switched: false, change: undefined });
  });

  it("is another choice of the person's, which is switched to all the same", () => {
    const before = through([[builtIn, headset]]);
    const after = follow("microphone", before, [builtIn, headset], { id: "b", label: "Built-in" });
    expect(after).toMatchObject({ switched: true, change: undefined, choice: { id: "b" } });
  });
});
