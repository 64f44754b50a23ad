import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { installFolder } from "./payload.ts";

/** Tells Windows that versions of the bridge replace each other: never to be changed. */
const upgradeCode = "6C9E1B7A-52F4-4D0B-9C3A-7E6F0B1D8A25";

/** What wixl makes the MSI of (WiX 3), from the files of a folder; 64 bits, for all users of the PC, no questions asked. */
export function wxs(files: readonly string[], version: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="*" Name="Jackfield Bridge" Manufacturer="Jackfield" Language="1033" Version="${version}" UpgradeCode="${upgradeCode}">
    <Package InstallerVersion="500" Compressed="yes" InstallScope="perMachine" Description="Jackfield Bridge ${version}" />
    <MajorUpgrade DowngradeErrorMessage="A newer Jackfield Bridge is installed." />
    <Media Id="1" Cabinet="bridge.cab" EmbedCab="yes" />
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder">
        <Directory Id="INSTALLDIR" Name="${installFolder}">
${folderOf("", files, 5)}
        </Directory>
      </Directory>
      <Directory Id="ProgramMenuFolder">
        <Component Id="StartMenu" Guid="${guid("StartMenu")}" Win64="yes">
          <Shortcut Id="Start" Directory="ProgramMenuFolder" Name="Jackfield Bridge" Target="[System64Folder]conhost.exe" Arguments="--headless &quot;[INSTALLDIR]node.exe&quot; &quot;[INSTALLDIR]bin\\jackfield.js&quot; bridge" Description="Starts the bridge on this PC" WorkingDirectory="INSTALLDIR" />
          <RegistryValue Root="HKLM" Key="Software\\Jackfield\\Bridge" Name="StartMenu" Type="integer" Value="1" KeyPath="yes" />
        </Component>
      </Directory>
    </Directory>
    <Feature Id="Bridge" Title="Jackfield Bridge" Level="1">
${[...foldersOf(files).map((folder) => id("C", folder)), "StartMenu"].map((one) => `      <ComponentRef Id="${one}" />`).join("\n")}
    </Feature>
    <CustomAction Id="SetUp" FileKey="${id("F", "node.exe")}" ExeCommand="${bridge("install")}" Execute="deferred" Impersonate="no" Return="check" />
    <CustomAction Id="TakeDown" FileKey="${id("F", "node.exe")}" ExeCommand="${bridge("uninstall")}" Execute="deferred" Impersonate="no" Return="ignore" />
    <InstallExecuteSequence>
      <RemoveExistingProducts Sequence="1401" />
      <Custom Action="TakeDown" Sequence="1610">REMOVE="ALL"</Custom>
      <Custom Action="SetUp" Sequence="6510">NOT REMOVE</Custom>
    </InstallExecuteSequence>
  </Product>
</Wix>
`;
}

/** Arguments of node.exe. The task at login, and the certificate of this PC with its trust: `bridge install --machine`. */
const bridge = (verb: string): string => `&quot;[INSTALLDIR]bin\\jackfield.js&quot; bridge ${verb} --machine`;

const foldersOf = (files: readonly string[]): readonly string[] => [
  ...new Set(files.map((file) => dirname(file))),
];

/** One component for the files of a folder, and folders in it; a set of files that changes is another component. */
function folderOf(path: string, files: readonly string[], depth: number): string {
  const pad = "  ".repeat(depth);
  const own = files.filter((file) => dirname(file) === (path === "" ? "." : path));
  const below = new Set(
    files.flatMap((file) => {
      const rest = path === "" ? file : file.startsWith(`${path}/`) ? file.slice(path.length + 1) : "";
      return rest.includes("/") ? [rest.slice(0, rest.indexOf("/"))] : [];
    }),
  );
  const component =
    own.length === 0
      ? []
      : [
          `${pad}<Component Id="${id("C", path === "" ? "." : path)}" Guid="${guid(own.join("\n"))}" Win64="yes">`,
          ...own.map(
            (file, at) =>
              `${pad}  <File Id="${id("F", file)}" Source="${file}" Name="${file.slice(file.lastIndexOf("/") + 1)}"${at === 0 ? ' KeyPath="yes"' : ""} />`,
          ),
          `${pad}</Component>`,
        ];
  const inner = [...below].flatMap((name) => {
    const whole = path === "" ? name : `${path}/${name}`;
    return [
      `${pad}<Directory Id="${id("D", whole)}" Name="${name}">`,
      folderOf(whole, files, depth + 1),
      `${pad}</Directory>`,
    ];
  });
  return [...component, ...inner].join("\n");
}

function id(kind: string, path: string): string {
  return `${kind}_${createHash("sha256").update(path).digest("hex").slice(0, 16)}`;
}

/** The same for the same text, as components must have it from build to build (a name-based UUID in form). */
function guid(text: string): string {
  const hex = createHash("sha256").update(`${upgradeCode} ${text}`).digest("hex").toUpperCase();
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `A${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
