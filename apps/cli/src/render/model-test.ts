import type { ModelProviderTest } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'

/** Models that are shown of a list. */
const shown = 20

/** What came of a test of a model provider: a line for each key, with what to do. */
export const renderModelTest = (
  { provider, asked, keys, models = [] }: ModelProviderTest,
  { style }: { style: Style },
): string => {
  const lines = keys.flatMap(({ name, ok, model, latencyMs, status, message, advice }) =>
    ok
      ? [`${style.green('ok')}    ${safeLine(name)}: ${safeLine(model ?? asked)} answered in ${latencyMs} ms`]
      : [
          `${style.red('fail')}  ${safeLine(name)}: ${safeLine(message ?? 'no answer')}${status > 0 ? ` (${status})` : ''}`,
          ...(advice === undefined ? [] : [`      ${safeLine(advice)}`]),
        ],
  )
  const more = models.length > shown ? `, and ${models.length - shown} more` : ''
  return [
    style.dim(`${provider}, asked for ${safeLine(asked)}`),
    ...lines,
    ...(models.length === 0
      ? []
      : [style.dim(`It lists: ${models.slice(0, shown).map(safeLine).join(', ')}${more}`)]),
  ].join('\n')
}
