import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { examples, type JsonOptions, jsonOption } from '../options.ts'
import { renderModelTest } from '../render/model-test.ts'
import { safeJson } from '../terminal/safe-text.ts'

interface TestOptions extends JsonOptions {
  model?: string
}

export const addTestModel = (project: Command, context: Context): void => {
  const command = project
    .command('test-model <name>')
    .description(
      'Asks the project’s model for one token with each of its keys: what works, how long it takes, and what to do about the rest.',
    )
    .option('--model <model>', 'another model than the project’s')
    .addOption(jsonOption('the result'))
    .action((name: string, options: TestOptions) => testModel(context, name, options))
  examples(command, ['berth project test-model web', 'berth project test-model web --model claude-opus-5-5'])
}

const testModel = async (
  { client, out }: Context,
  name: string,
  { model, json }: TestOptions,
): Promise<void> => {
  const result = await client.testModelProvider({ params: { project: name }, body: { model } })
  out.line(json === true ? safeJson(result) : renderModelTest(result, { style: out.style }))
  if (!result.ok) throw new ExitError('failed', 'Not every key works.')
}
