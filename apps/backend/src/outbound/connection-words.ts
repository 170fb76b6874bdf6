/** What went wrong with a connection, in words for people, by the codes of Node and undici. */
export const connectionWords: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name can’t be looked up at the moment',
  ECONNREFUSED: 'it takes no connection',
  ECONNRESET: 'it cut the connection',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_SOCKET: 'it cut the connection',
}
