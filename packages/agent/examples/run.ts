import { AgenticSession } from '@berth/agent'

const [workspace = process.cwd(), prompt = 'What is this project about?'] = process.argv.slice(2)

const session = new AgenticSession({
  prompt,
  workspace,
  permissions: { allow: ['Edit(/**)', 'Bash(npm test:*)'], deny: ['Read(.env)'] },
  onPermission: ({ detail }) => {
    console.log(`Not allowed here: ${detail}`)
    return { behavior: 'deny', message: 'Only edits and npm test are allowed.', interrupt: false }
  },
  onEvent: (event) => {
    if (event.type === 'agent.status') console.log(event.data.status)
  },
})

const { result, message, durationMs, usage } = await session.run()
console.log(`\n${message}\n\n${result} after ${durationMs} ms and ${usage.requests} requests to the model`)
