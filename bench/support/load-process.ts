import autocannon, { type Options } from 'autocannon'

/** Sends requests from a process of its own, so that it does not share a thread with what is measured. */
process.once('message', async (options: Options) => {
  const { latency, requests, errors, timeouts, non2xx } = await autocannon(options)
  const { p50, p99 } = latency
  process.send?.({
    p50,
    p99,
    rate: requests.average,
    total: requests.total,
    errors: errors + timeouts,
    non2xx,
  })
  process.disconnect()
})
