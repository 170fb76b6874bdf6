import { buildImages } from '../../tools/images/build-images.ts'
import { findEngine } from '../../tools/images/engine.ts'
import type { Figure, Row } from '../figure.ts'

const limits = { backend: 130, runner: 300 }

/** DESIGN: backend and runner image ≤ 130 and ≤ 300 MB compressed; both build in < 2 min from a warm base. */
export const images: Figure = {
  name: 'images',
  about: 'the images, each built anew from base images that are there',
  run: async () => {
    if ((await findEngine()) === undefined) {
      process.stderr.write(
        'images: left out, because nothing here builds images (docker, podman or buildah)\n',
      )
      return []
    }
    const reports = await buildImages({ tag: 'bench', noCache: true })
    return reports.flatMap(({ image, engine, seconds, compressedBytes }): Row[] => [
      {
        what: `${image}, compressed`,
        value: compressedBytes / 1e6,
        unit: 'MB',
        goal: { atMost: image.includes('backend') ? limits.backend : limits.runner },
        note: 'gzip, as in a registry',
      },
      {
        what: `${image}, build without any cache`,
        value: seconds * 1000,
        unit: 'ms',
        goal: { atMost: 120_000 },
        note: `by ${engine}, packages downloaded`,
      },
    ])
  },
}
