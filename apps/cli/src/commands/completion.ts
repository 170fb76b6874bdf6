import { Argument, type Command } from 'commander'
import { complete } from '../completion/candidates.ts'
import { type Shell, scripts, shells } from '../completion/scripts.ts'
import { connect } from '../connection.ts'
import type { Context } from '../context.ts'
import { examples } from '../options.ts'

/** A person waits at a prompt: after this long the backend is as good as away. */
const patienceMs = 800

export const addCompletion = (program: Command, context: Context): void => {
  const command = program
    .command('completion')
    .summary('complete commands, options, sessions and projects in your shell')
    .description(
      'Prints a script with which your shell completes commands, options, sessions (also by a part of their title) and projects. ' +
        'Names come from the backend; when it is away, none are offered.',
    )
    .addArgument(new Argument('<shell>', 'your shell').choices(shells))
    .action((shell: Shell) => context.out.write(scripts[shell]))
  examples(command, [
    'source <(berth completion bash)          # in ~/.bashrc',
    'source <(berth completion zsh)           # in ~/.zshrc, after compinit',
    'berth completion fish > ~/.config/fish/completions/berth.fish',
  ])
  program
    .command('__complete', { hidden: true })
    .description('What the scripts ask: candidates for the last of these words.')
    .argument('[words...]')
    .action((words: string[]) => answer(program, context, words))
}

const answer = async (program: Command, { env, out }: Context, words: string[]): Promise<void> => {
  // Once: one that does not answer now is not waited for.
  const client = connect(env, { attempts: 1 })
  const source = { client, env, signal: AbortSignal.timeout(patienceMs) }
  const { directive, candidates } = await complete(program, words, source)
  const lines = candidates.map(({ value, text }) => `${value}\t${text}`)
  out.write([directive, ...lines, ''].join('\n'))
}
