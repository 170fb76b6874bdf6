import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PermissionRules, ruleFor } from './rule-for.ts'

const places = { cwd: '/work/space', home: '/home/agent' }
const rules = (partial: Partial<PermissionRules>): PermissionRules => ({
  allow: [],
  ask: [],
  deny: [],
  otherwise: 'ask',
  ...partial,
})

const rule = (partial: Partial<PermissionRules>, tool: string, input: Record<string, unknown>) =>
  ruleFor(rules(partial), { tool, input }, places)

const bash = (partial: Partial<PermissionRules>, command: string) =>
  rule(partial, 'Bash', { command }).behavior

describe('Bash', () => {
  test.each([
    // rule, command, allowed by it, concerned when it forbids
    ['Bash', 'rm -rf / > x', true, true],
    ['Bash(*)', 'a && $(b)', true, true],
    ['Bash(npm test)', 'npm test', true, true],
    ['Bash(npm test)', 'npm test x', false, false],
    ['Bash(npm test > log)', 'npm test > log', true, true],
    ['Bash(npm run:*)', 'npm run', true, true],
    ['Bash(npm run:*)', 'npm run build', true, true],
    ['Bash(npm run:*)', 'npm running', false, false],
    ['Bash(npm run:*)', 'npm run a && npm run b; npm run c | npm run d', true, true],
    ['Bash(npm run:*)', 'npm run a && rm x', false, true],
    ['Bash(npm run:*)', 'npm run a & rm x', false, true],
    ['Bash(npm run:*)', 'npm run $(rm x)', false, true],
    ['Bash(npm run:*)', 'npm run `rm x`', false, true],
    ['Bash(npm run:*)', 'npm run "$(rm x)"', false, true],
    ['Bash(npm run:*)', "npm run '$(rm x)'", true, true],
    ['Bash(npm run:*)', 'npm run a > b', false, true],
    ['Bash(npm run:*)', 'npm run a < b', false, true],
    ['Bash(npm run:*)', 'npm run a\nrm x', false, true],
    ['Bash(npm run:*)', 'npm run "a\nb"', false, true],
    ['Bash(npm run:*)', 'npm run a \\\n b', false, true],
    ['Bash(npm run:*)', 'npm run "a', false, true],
    ['Bash(npm run:*)', '(npm run a)', false, true],
    ['Bash(npm run:*)', 'npm run "a && b; c"', true, true],
    ['Bash(npm run:*)', 'npm run a\\;b', true, true],
    ['Bash(npm run:*)', '', false, false],
    ['Bash(git * main)', 'git push origin main', true, true],
    ['Bash(git * main)', 'git push origin mainline', false, false],
    ['Bash(ls *)', 'ls', true, true],
    ['Bash(ls *)', 'lsof', false, false],
    ['Bash(rm:*)', 'FOO=1 sudo -n timeout 5 rm x', false, true],
    ['Bash(rm:*)', 'echo $(rm x)', false, true],
    ['Bash(rm:*)', 'if true; then (rm x); fi', false, true],
    ['Bash(rm:*)', 'echo rm', false, false],
  ])('%s and `%s`', (text, command, allowed, concerned) => {
    expect(bash({ allow: [text] }, command)).toBe(allowed ? 'allow' : 'ask')
    expect(bash({ deny: [text], otherwise: 'allow' }, command)).toBe(concerned ? 'deny' : 'allow')
    expect(bash({ ask: [text], otherwise: 'allow' }, command)).toBe(concerned ? 'ask' : 'allow')
  })

  test('several rules allow a compound command together', () => {
    const allow = ['Bash(npm test:*)', 'Bash(echo:*)']
    expect(bash({ allow }, 'npm test && echo ok')).toBe('allow')
    expect(bash({ allow }, 'npm test && echo ok && ls')).toBe('ask')
  })

  test('a command with anything that could hide another is never allowed by a prefix', () => {
    const hiding = fc.constantFrom(
      '$(x)',
      '`x`',
      '\n',
      '<(x)',
      '> f',
      '< f',
      '; x',
      '&& x',
      '| x',
      '& x',
      '|| x',
      // Bash's own quotes, in which a backslash hides the quote that seems to end them.
      "$'\\'' ; x #'",
      "$'\\'' | x '",
      '$"\\"" ; x #"',
    )
    const words = fc.stringMatching(/^[a-z -]{0,10}$/)
    fc.assert(
      fc.property(words, hiding, words, (before, hidden, after) => {
        expect(bash({ allow: ['Bash(echo:*)'] }, `echo ${before}${hidden}${after}`)).toBe('ask')
      }),
    )
  })

  test('a command behind quotes that only seem to go on is found by rules that forbid', () => {
    expect(bash({ deny: ['Bash(rm:*)'], otherwise: 'allow' }, "echo $'\\'' ; rm -rf x #'")).toBe('deny')
  })

  test('any text is ruled on', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab "\'\\$(`){}<>;|&\n*') }), (command) => {
        expect(['allow', 'ask']).toContain(bash({ allow: ['Bash(a:*)'] }, command))
        expect(bash({ deny: ['Bash'] }, command)).toBe('deny')
      }),
    )
  })
})

describe('paths', () => {
  test.each([
    ['Read(.env)', 'Read', '/work/space/.env', true],
    ['Read(.env)', 'Read', 'deep/down/.env', true],
    ['Read(./.env)', 'Read', '.env', true],
    ['Read(./.env)', 'Read', 'deep/.env', false],
    ['Read(./.env)', 'Read', 'src/../.env', true],
    ['Read(/src/**)', 'Read', 'src/a/b.ts', true],
    ['Read(/src)', 'Read', 'src/a/b.ts', true],
    ['Read(src/)', 'Read', 'lib/src/b.ts', true],
    ['Read(src/*.ts)', 'Read', 'src/a.ts', true],
    ['Read(src/*.ts)', 'Read', 'src/a/b.ts', false],
    ['Read(src/**)', 'Read', '/etc/src/b', false],
    ['Read(//etc/**)', 'Read', '/etc/passwd', true],
    ['Read(//etc/**)', 'Read', '../../etc/passwd', true],
    ['Read(~/.ssh/**)', 'Read', '/home/agent/.ssh/id', true],
    ['Read(*.key)', 'Grep', 'certs/a.key', true],
    ['Read(src/**)', 'Edit', 'src/a.ts', false],
    ['Edit(src/**)', 'Write', 'src/a.ts', true],
    ['Edit(src/**)', 'NotebookEdit', 'src/a.ipynb', true],
    ['Edit', 'Write', 'anything', true],
    ['Write(src/**)', 'Edit', 'src/a.ts', false],
    ['Read(!src/**)', 'Read', 'lib/a.ts', false],
  ])('%s and %s of %s: %s', (text, tool, path, fits) => {
    const field = tool === 'NotebookEdit' ? 'notebook_path' : tool === 'Grep' ? 'path' : 'file_path'
    const input = { [field]: path }
    expect(rule({ deny: [text], otherwise: 'allow' }, tool, input).behavior).toBe(fits ? 'deny' : 'allow')
    expect(rule({ allow: [text], otherwise: 'deny' }, tool, input).behavior).toBe(fits ? 'allow' : 'deny')
  })
})

describe('other tools', () => {
  test.each([
    ['*', 'Anything', {}, true],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'https://EXAMPLE.com/x' }, true],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'https://example.com.evil.org/' }, false],
    ['WebFetch(domain:*.example.com)', 'WebFetch', { url: 'https://a.example.com' }, true],
    ['mcp__git', 'mcp__git__push', {}, true],
    ['mcp__git', 'mcp__github__push', {}, false],
    ['mcp__git__*', 'mcp__git__push', {}, true],
    ['mcp__git__push', 'mcp__git__pull', {}, false],
    ['Task(Explore)', 'Agent', { subagent_type: 'Explore' }, true],
    ['Agent(Explore)', 'Task', { subagent_type: 'Plan' }, false],
    ['Task', 'Agent', {}, true],
    ['Skill(deploy)', 'Skill', { skill: 'deploy' }, true],
  ])('%s and %s(%o): %s', (text, tool, input, fits) => {
    expect(rule({ deny: [text], otherwise: 'allow' }, tool, input).behavior).toBe(fits ? 'deny' : 'allow')
    expect(rule({ allow: [text], otherwise: 'deny' }, tool, input).behavior).toBe(fits ? 'allow' : 'deny')
  })

  test('a spec without a meaning forbids and asks, but does not allow', () => {
    expect(rule({ deny: ['WebSearch(x)'], otherwise: 'allow' }, 'WebSearch', {}).behavior).toBe('deny')
    expect(rule({ allow: ['WebSearch(x)'], otherwise: 'deny' }, 'WebSearch', {}).behavior).toBe('deny')
    expect(
      rule({ deny: ['WebFetch(domain:a.org)'], otherwise: 'allow' }, 'WebFetch', { url: '??' }).behavior,
    ).toBe('deny')
    expect(
      rule({ deny: ['WebFetch(domain:a.org)'], otherwise: 'allow' }, 'WebFetch', { url: 'http://x.a.org' })
        .behavior,
    ).toBe('deny')
  })
})

test('deny counts before ask, ask before allow', () => {
  expect(rule({ allow: ['X'], ask: ['X'], deny: ['X'] }, 'X', {})).toEqual({ behavior: 'deny', rule: 'X' })
  expect(rule({ allow: ['X'], ask: ['X'] }, 'X', {})).toEqual({ behavior: 'ask', rule: 'X' })
})

test.each([
  ['allow', 'Bash', {}, 'allow'],
  ['ask', 'Bash', {}, 'ask'],
  ['deny', 'Bash', {}, 'deny'],
  ['ask', 'Read', { file_path: 'a' }, 'allow'],
  ['ask', 'Read', { file_path: '/etc/passwd' }, 'ask'],
  ['ask', 'Glob', {}, 'allow'],
  ['deny', 'Read', { file_path: 'a' }, 'deny'],
  ['ask', 'TodoWrite', {}, 'allow'],
  ['deny', 'AskUserQuestion', {}, 'allow'],
  ['allow', 'ExitPlanMode', {}, 'ask'],
  ['deny', 'ExitPlanMode', {}, 'deny'],
] as const)('without a rule and otherwise %s, %s(%o) gives %s', (otherwise, tool, input, behavior) => {
  expect(rule({ otherwise }, tool, input).behavior).toBe(behavior)
})
