export { type BubblewrapOptions, createBubblewrapSandbox } from './bubblewrap/bubblewrap-sandbox.ts'
export { sweep } from './cgroup/sweep.ts'
export {
  type ContainerSandbox,
  type ContainerSandboxOptions,
  createContainerSandbox,
} from './container/container-sandbox.ts'
export { installAdvice } from './install-advice.ts'
export type { SandboxLimits } from './limits.ts'
export { createNoSandbox, type NoSandboxOptions } from './none/no-sandbox.ts'
export type {
  Sandbox,
  SandboxCheck,
  SandboxCommand,
  SandboxDoor,
  SandboxExit,
  SandboxExitReason,
  SandboxedProcess,
  SandboxMount,
  SandboxUsage,
} from './sandbox.ts'
export { type ProbeResult, type SelfTestContext, selfTest } from './self-test.ts'
export { asSpawnedProcess, type SpawnedProcessLike } from './spawned-process.ts'
export {
  readUserNamespaceFacts,
  type UserNamespaceFacts,
  userNamespaceAdvice,
} from './user-namespace-advice.ts'
