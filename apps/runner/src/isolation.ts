import type { RunnerFactBody } from '@berth/contract'
import { type Sandbox, type SelfTestContext, selfTest } from '@berth/sandbox'

/** A sandbox that does not hold what it promises, or does not start. */
export class SandboxUnfit extends Error {
  override readonly name = 'SandboxUnfit'
}

/**
 * Looks at the agent's sandbox from inside and tells the result as a fact. Throws SandboxUnfit, with what repairs it,
 * when anything fails; without a sandbox there is nothing to look at, and the fact says so.
 */
export const testIsolation = async (
  sandbox: Sandbox,
  context: SelfTestContext,
  emit: (body: RunnerFactBody) => void,
): Promise<void> => {
  if (sandbox.kind === 'none') {
    emit({ type: 'isolation.tested', data: { sandbox: 'none', sandboxed: false, ok: true, probes: [] } })
    return
  }
  const began = performance.now()
  emit({ type: 'start.step', data: { step: 'sandbox', state: 'started' } })
  const results = await selfTest(sandbox, context)
  const probes = results.slice(0, 50).map(({ name, ok, detail }) => ({
    name: name.slice(0, 100),
    ok,
    detail: detail.slice(0, 500),
  }))
  const failed = probes.filter((probe) => !probe.ok)
  const ok = failed.length === 0
  const ms = Math.round(performance.now() - began)
  emit({ type: 'isolation.tested', data: { sandbox: sandbox.kind, sandboxed: true, ok, probes } })
  emit({ type: 'start.step', data: { step: 'sandbox', state: ok ? 'done' : 'failed', ms } })
  if (!ok)
    throw new SandboxUnfit(
      await whatToDo(sandbox, failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')),
    )
}

const whatToDo = async (sandbox: Sandbox, found: string): Promise<string> => {
  const check = await sandbox.check()
  return check.ok
    ? `The sandbox does not isolate as it should (${found}), so no agent is started in it.`
    : `The sandbox does not work here: ${check.problem} To repair it: ${check.repair}`
}

/** Paths outside that must not be visible inside. */
export const hiddenPaths = (paths: readonly (string | undefined)[], visible: readonly string[]): string[] =>
  paths.filter(
    (path): path is string =>
      path !== undefined &&
      path !== '/' &&
      !visible.some((one) => one === path || one.startsWith(`${path}/`)),
  )
