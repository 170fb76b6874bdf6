import { maxMcpMessage, maxMcpTools } from './mcp-limits.ts'

/**
 * Plain JavaScript, because it runs inside the sandbox by itself: starts an MCP server and passes lines on, until one is
 * too long. Tools beyond a number are left out, endless pages of them end, and of the error output only the beginning is
 * kept. A server that was ended so says why to Claude Code, as an error in answer to what it was asked.
 */
export const mcpGuardScript = `import { spawn } from 'node:child_process'

const maxLine = ${maxMcpMessage}
const maxTools = ${maxMcpTools}
const maxErrors = 65536
const [command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
const waiting = new Map()
let tools = 0
let errors = 0
let over = false

const end = (why) => {
  if (over) return
  over = true
  child.kill('SIGKILL')
  process.stderr.write(why + '\\n')
  for (const id of waiting.values())
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message: why } }) + '\\n')
  process.exitCode = 1
  process.stdin.destroy()
}

/** Calls \`take\` with each line; false: one is too long. */
const lines = (take) => {
  let parts = []
  let size = 0
  return (chunk) => {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at))
      if (size + at - from > maxLine) return false
      take(Buffer.concat(parts))
      parts = []
      size = 0
      from = at + 1
    }
    parts.push(chunk.subarray(from))
    size += chunk.length - from
    return size <= maxLine
  }
}

const parse = (line) => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

const fewerTools = (message) => {
  const list = message?.result?.tools
  if (!Array.isArray(list)) return false
  const room = Math.max(0, maxTools - tools)
  tools += list.length
  if (list.length <= room && (tools < maxTools || message.result.nextCursor === undefined)) return false
  message.result.tools = list.slice(0, room)
  delete message.result.nextCursor
  return true
}

const fromServer = lines((line) => {
  const message = parse(line)
  // What is no message would only be skipped there.
  if (typeof message !== 'object' || message === null) return
  if (message.id !== undefined && message.method === undefined) waiting.delete(JSON.stringify(message.id))
  const out = fewerTools(message) ? Buffer.from(JSON.stringify(message)) : line
  if (!process.stdout.write(Buffer.concat([out, Buffer.from('\\n')]))) {
    child.stdout.pause()
    process.stdout.once('drain', () => child.stdout.resume())
  }
})

const fromClaude = lines((line) => {
  const message = parse(line)
  if (message?.method === 'tools/list' && message.params?.cursor === undefined) tools = 0
  if (message?.id === undefined || message.method === undefined) return
  if (waiting.size >= 1000) waiting.delete(waiting.keys().next().value)
  waiting.set(JSON.stringify(message.id), message.id)
})

child.stdout.on('data', (chunk) => {
  if (!over && !fromServer(chunk)) end('The MCP server wrote a message of more than ' + maxLine + ' bytes and was ended.')
})
child.stderr.on('data', (chunk) => {
  if (errors < maxErrors) process.stderr.write(chunk.subarray(0, maxErrors - errors))
  errors += chunk.length
})
process.stdin.on('data', (chunk) => {
  fromClaude(chunk)
  if (!child.stdin.write(chunk)) {
    process.stdin.pause()
    child.stdin.once('drain', () => process.stdin.resume())
  }
})
process.stdin.on('end', () => child.stdin.end())
for (const stream of [child.stdin, process.stdout, process.stderr]) stream.on('error', () => undefined)
child.on('error', (error) => end('The MCP server could not be started: ' + error.message))
child.on('close', (code, signal) => {
  end('The MCP server ended' + (signal === null ? ' with code ' + code : ' by ' + signal) + '.')
  process.exitCode = code ?? 1
})
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal))
`
