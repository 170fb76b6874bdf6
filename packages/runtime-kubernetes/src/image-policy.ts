import { RuntimeError } from '@berth/runtime'
import type { CompiledOptions } from './options/schema.ts'

/** Whether a project may set this image. `*` stands for any text; everything else is taken as it is. */
export const isAllowedImage = ({ images }: CompiledOptions, image: string): boolean =>
  [images.agent ?? images.runner, ...images.allowed].some((pattern) => matches(pattern, image))

const matches = (pattern: string, text: string): boolean => {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^\\n]*')}$`).test(text)
}

/** Throws RuntimeError (image) for an image that the operator doesn't allow. */
export const checkImage = (options: CompiledOptions, image: string | undefined): void => {
  if (image === undefined || isAllowedImage(options, image)) return
  const { allowed } = options.images
  const hint =
    allowed.length === 0 ? 'the operator allows no images of projects' : `allowed are ${allowed.join(', ')}`
  throw new RuntimeError({
    reason: 'image',
    message: `The image ${image} may not be used: ${hint}. Change the setting "image" of the project, or ask the operator to allow it.`,
    retryable: false,
  })
}
