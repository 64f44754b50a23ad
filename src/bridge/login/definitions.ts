import { win32 } from "node:path";

/** The command line that is started at login. */
export interface Program {
  /** Absolute path of Node. */
  readonly node: string;
  /** Absolute path of the package's `bin/jackfield.js`. */
  readonly script: string;
  /** Behind `bridge`. */
  readonly args: readonly string[];
}

export const taskName = "Jackfield bridge";
export const unitName = "jackfield-bridge.service";
export const agentLabel = "jackfield.bridge";

/** Who a Windows task runs for: one user, at his login, or each one (the MSI's task). */
export type TaskUser = { readonly userId: string } | { readonly groupId: string };

/** Everybody who may log in at this PC (BUILTIN\Users). */
export const allUsers: TaskUser = { groupId: "S-1-5-32-545" };

/**
 * Definition of a Windows task (Task Scheduler schema 1.2): at login, in the user's session, without a time limit, on battery too,
 * started again after a fault. conhost's `--headless` keeps Node from opening a console window.
 */
export function windowsTask(program: Program, user: TaskUser): string {
  const words = ["--headless", program.node, program.script, "bridge", ...program.args];
  const single = "userId" in user;
  const trigger = single ? `\n      <UserId>${xml(user.userId)}</UserId>` : "";
  const principal = single
    ? `<UserId>${xml(user.userId)}</UserId>\n      <LogonType>InteractiveToken</LogonType>`
    : `<GroupId>${xml(user.groupId)}</GroupId>`;
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Sound and endpoint of Genesys Workspace on this PC, by the Jackfield gateway.</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>${trigger}
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      ${principal}
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>${single ? "IgnoreNew" : "Parallel"}</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <Enabled>true</Enabled>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>10</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>%SystemRoot%\\System32\\conhost.exe</Command>
      <Arguments>${xml(words.map(windowsWord).join(" "))}</Arguments>
      <WorkingDirectory>${xml(win32.dirname(program.script))}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;
}

/** A systemd user unit, up with the desktop, whose environment it needs to open a browser. */
export function systemdUnit(program: Program): string {
  return `# Jackfield's bridge on this PC: made by \`jackfield bridge install\`, removed by \`jackfield bridge uninstall\`.
[Unit]
Description=Jackfield bridge: sound and endpoint of Genesys Workspace on this PC
PartOf=graphical-session.target
After=graphical-session.target
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
ExecStart=${[program.node, program.script, "bridge", ...program.args].map(systemdWord).join(" ")}
Restart=on-failure
RestartSec=5
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=graphical-session.target
`;
}

/** A launchd agent: at login, started again after a fault. */
export function launchAgent(program: Program): string {
  const words = [program.node, program.script, "bridge", ...program.args];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${agentLabel}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${xml(word)}</string>`).join("\n")}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ProcessType</key>
  <string>Interactive</string>
  <key>Umask</key>
  <integer>63</integer>
</dict>
</plist>
`;
}

function xml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replaceAll(/[&<>"]/g, (letter) => entities[letter] ?? letter);
}

/** One argument as CommandLineToArgvW takes it apart. */
function windowsWord(word: string): string {
  if (/^[^\s"]+$/.test(word)) return word;
  return `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}

/** One argument of ExecStart (systemd.service(5)): `%` and `$` stand for themselves when doubled. */
function systemdWord(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  return `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
