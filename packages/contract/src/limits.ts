/** Every size, count and time that the contract bounds. Bytes unless the name says otherwise. */
export const limits = {
  /** A request body of an ordinary command route. */
  body: 1024 * 1024,
  /** A batch of facts from a runner. */
  factsBody: 4 * 1024 * 1024,
  factsPerBatch: 500,
  /** The text of one prompt, in characters. */
  promptText: 200_000,
  promptBlocks: 32,
  /** A prompt's blocks together, as base64 where they are binary. */
  promptBody: 16 * 1024 * 1024,
  /** Prompts that wait in one session. */
  queuedPrompts: 100,
  /** Open permission requests and questions of one session. */
  openRequests: 50,
  title: 200,
  labels: 32,
  /** Shares of one session. */
  shares: 50,
  labelKey: 63,
  labelValue: 255,
  repositories: 16,
  /** Branches in one list. */
  listedBranches: 1000,
  /** Submodules of one repository, and how deep they may lie in each other. */
  submodules: 50,
  submoduleDepth: 5,
  url: 2048,
  branch: 200,
  permissionRules: 200,
  permissionRule: 500,
  instructions: 32_000,
  /** Text that stands in an event; what is longer goes to the blob store, and a preview stays. */
  inlineText: 64 * 1024,
  preview: 4096,
  blob: 64 * 1024 * 1024,
  delta: 16 * 1024,
  listPage: 200,
  eventsPage: 1000,
  idempotencyKey: 128,
  idempotencyHours: 24,
  message: 4000,
  /** The value of a secret; those of all secrets of a project together, also former ones. */
  secretValue: 64 * 1024,
  secretBytes: 256 * 1024,
  /** In characters: a shorter value could not be hidden where it is shown. */
  secretShortest: 8,
  secretNote: 500,
  secrets: 200,
  /** Former values of a secret that are still hidden where they are shown, and how long. */
  formerSecrets: 10,
  formerSecretDays: 30,
  /** Custom agents, commands, skills or MCP servers of one layer. */
  setupEntries: 100,
  /** The text of one of them, in characters. */
  setupText: 64_000,
  /** A line of the runner's log, in characters. */
  logLine: 2000,
  logLinesPerBatch: 200,
  /** A batch of such lines. */
  logsBody: 2 * 1024 * 1024,
  /** What is kept of one session's lines of one source: the newest. */
  logLines: 2000,
  logBytes: 1024 * 1024,
  logPage: 2000,
  /** A file of a workspace that is written with one request. */
  file: 64 * 1024 * 1024,
  /** A file of a workspace that is written by a resumable upload or read, or an archive. */
  upload: 2 * 1024 * 1024 * 1024,
  /** A part of what travels into or out of a workspace, and how many there are at most. */
  transferPart: 4 * 1024 * 1024,
  transferParts: 512,
  /** Uploads that are not finished, of one session and of all sessions of a project. */
  openUploads: 20,
  projectUploads: 200,
  /** Their bytes together, of all sessions of a project. */
  projectUploadBytes: 16 * 1024 * 1024 * 1024,
  /** An upload that is not finished is kept this long. */
  uploadHours: 24,
  /** Entries of a directory in one answer. */
  directoryPage: 500,
  path: 4096,
  /** Operations on a session's workspace that are under way at once. */
  openOperations: 32,
  /** Members of one project, and its API keys that count. */
  members: 500,
  keys: 100,
  /** The longest life of an API key, and how long its secret before a rotation may count on. */
  keyDays: 365,
  keyGraceHours: 7 * 24,
  /** How long a key is shown that was revoked or has expired. */
  keptKeyDays: 90,
  /** Signed heads of the audit that are checked with one request, and its bytes: those of a fortnight. */
  auditHeads: 20_000,
  auditHeadsBody: 8 * 1024 * 1024,
  /** How long the groups are kept in which the sender of a prompt was seen. */
  knownGroupDays: 90,
  /** Models of one session that are counted by name; more are counted together, as `other`. */
  models: 50,
  /** What git sends with a push through the git proxy: commands and pack. */
  gitPush: 2 * 1024 * 1024 * 1024,
  /** Rules of a project about what its sessions reach on the network. */
  egressRules: 100,
  /** What a program in a sandbox sends with one request, and what it is answered. */
  egressRequest: 2 * 1024 * 1024 * 1024,
  egressAnswer: 8 * 1024 * 1024 * 1024,
  /** Refused requests that a turn's log tells of; those like one before are not told again. */
  egressRefusals: 20,
  /** A part of a pack or transcript in the blob store. */
  checkpointPart: 32 * 1024 * 1024,
} as const
