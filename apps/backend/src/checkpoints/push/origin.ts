/** What an origin says of one of its branches. */
export interface OriginState {
  /** Where the branch is; undefined: there is no such branch. */
  commit: string | undefined
  /** Its default branch. */
  head: string | undefined
  /** A work tree at the origin has the branch checked out, and would not follow. */
  checkedOut: boolean
}

export interface Sending {
  /** A bare repository of Berth's that has the commit. */
  repository: string
  branch: string
  commit: string
  /** Where the branch has to be still; undefined: it must not exist. */
  previous: string | undefined
  /** The commit does not come after `previous`. */
  force: boolean
}

/**
 * Where a session's work is pushed to. Both methods reject with `push_failed`, `push_rejected` or `repository_not_allowed`;
 * after a failure the branch is where it was, or where it should be, never anywhere else.
 */
export interface Origin {
  look(branch: string): Promise<OriginState>
  send(sending: Sending): Promise<void>
  /** Brings the branch into a repository that has some of it, as `refs/berth/seen`. */
  fetch(fetching: { repository: string; branch: string }): Promise<void>
}
