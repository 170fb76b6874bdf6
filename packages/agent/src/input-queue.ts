/** A queue that is read as an async iterable. */
export interface InputQueue<T> extends AsyncIterable<T> {
  push(item: T): void
  /** No more items: the reader ends after those that wait. */
  end(): void
}

/** Makes a queue for one reader. */
export const createInputQueue = <T>(): InputQueue<T> => {
  const items: T[] = []
  let ended = false
  let wake = () => {}
  return {
    push(item) {
      if (ended) return
      items.push(item)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = items.shift()
        if (item !== undefined) yield item
        else if (ended) return
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    },
  }
}
