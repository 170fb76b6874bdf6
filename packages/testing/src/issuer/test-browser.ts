/** What a browser does of all that matters here: it keeps cookies by site, follows redirects, and sends forms. */
export interface TestBrowser {
  /** Opens an address and follows redirects, up to one that `stop` names; that one is not asked. */
  open(url: string, options?: OpenOptions): Promise<Visit>
  /** Sends the page's form, with what a person typed into it. */
  submit(visit: Visit, typed?: Record<string, string>): Promise<Visit>
  /** Cookies of a site, as a header has them. */
  cookies(url: string): string
  setCookie(url: string, cookie: string): void
}

export interface OpenOptions {
  method?: 'GET' | 'POST'
  body?: URLSearchParams
  /** Ends the way before an address that it is true of. */
  stop?: (url: URL) => boolean
}

export interface Visit {
  url: string
  /** 0: it stopped before the address. */
  status: number
  headers: Headers
  text: string
}

const maxRedirects = 20

export const createTestBrowser = (): TestBrowser => {
  const jars = new Map<string, Map<string, string>>()
  // Cookies do not tell ports apart, but the sites of a test are all of one machine.
  const jarOf = (url: string) => {
    const { host } = new URL(url)
    const jar = jars.get(host) ?? new Map<string, string>()
    jars.set(host, jar)
    return jar
  }
  const cookies = (url: string) => [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ')
  const setCookie = (url: string, cookie: string) => {
    const [pair = '', ...attributes] = cookie.split(';')
    const at = pair.indexOf('=')
    const isOver = attributes.some((part) => /^\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(part))
    if (isOver) jarOf(url).delete(pair.slice(0, at))
    else jarOf(url).set(pair.slice(0, at), pair.slice(at + 1))
  }

  const browser: TestBrowser = {
    cookies,
    setCookie,
    open: async (start, { method = 'GET', body, stop } = {}) => {
      let url = start
      for (let hop = 0; hop < maxRedirects; hop++) {
        if (stop?.(new URL(url)) === true) return { url, status: 0, headers: new Headers(), text: '' }
        const first = hop === 0
        const response = await fetch(url, {
          method: first ? method : 'GET',
          headers: { cookie: cookies(url), accept: 'text/html' },
          redirect: 'manual',
          ...(first && body !== undefined && { body }),
        })
        for (const cookie of response.headers.getSetCookie()) setCookie(url, cookie)
        const text = await response.text()
        const location = response.headers.get('location')
        if (location === null) return { url, status: response.status, headers: response.headers, text }
        url = new URL(location, url).href
      }
      throw new Error(`${start} redirects without an end`)
    },
    submit: ({ url, text }, typed = {}) => {
      const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1]
      if (action === undefined) throw new Error(`${url} has no form`)
      const hidden = [...text.matchAll(/<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"/g)]
      const fields = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]))
      const target = new URL(action.replaceAll('&amp;', '&'), url).href
      return browser.open(target, { method: 'POST', body: new URLSearchParams({ ...fields, ...typed }) })
    },
  }
  return browser
}
