/** Images under test: they are on the nodes already, or can be pulled. */
export const images = {
  backend: process.env.BERTH_TEST_BACKEND_IMAGE ?? 'berth-backend:test',
  runner: process.env.BERTH_TEST_RUNNER_IMAGE ?? 'berth-runner:test',
  postgres: process.env.BERTH_TEST_POSTGRES_IMAGE ?? 'berth-postgres:test',
}

/** An image's name as the chart takes it. */
export const chartImage = (name: string): { repository: string; tag: string } => {
  const [, repository = name, tag = 'latest'] = /^(.+?)(?::([^:/]+))?$/.exec(name) ?? []
  return { repository, tag }
}
