/** A person as an issuer names them; what it may do is asked of the store, at each request. */
export interface Identity {
  /** The id as which somebody is a member, an author, an owner. */
  user: string
  /** What people see in place of it. */
  name?: string
  groups: string[]
}
