import { z } from 'zod'

/** Model names are the upstream's; here only their form is checked. */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/[\]-]{0,127}$/, 'expected a model name such as claude-sonnet-4-5')
