import type { Subject } from '@berth/contract'
import type { AdminGuard, Member } from './access-store.ts'
import type { BrowserSessionNews, BrowserSessionRow, IssuerLogout } from './browser-session-store.ts'
import type { KeyRotation, NewKey } from './key-store.ts'
import type { Operations } from './operations.ts'
import type { Store } from './port.ts'
import { ProgramAudit } from './program-audit.ts'
import { browserSession } from './programs/browser-sessions.ts'
import { keyCredential, keys } from './programs/keys.ts'
import { groupsOf } from './programs/known-groups.ts'
import { members, roleOf, rolesOf } from './programs/members.ts'
import { revokedBefore } from './programs/revocations.ts'
import { browsersSealedBy, sealedBrowsers } from './programs/sealed-browsers.ts'
import {
  knownSecrets,
  sealedBy,
  sealedSecret,
  secretStamp,
  secrets,
  secretsSealedBy,
} from './programs/secrets.ts'

/** Browsers whose tokens are looked at in one transaction. */
const browserPage = 200

/** What the store does with members, keys, sign-ins and secrets. */
export class ProgramAccess extends ProgramAudit {
  roleOf(name: string, subjects: readonly Subject[], also?: { deleting?: boolean }) {
    return this.read(roleOf(name, subjects, also))
  }
  rolesOf(subjects: readonly Subject[]) {
    return this.read(rolesOf(subjects))
  }
  members(name: string) {
    return this.read(members(name))
  }
  setMember(member: Member, guard: AdminGuard = {}) {
    return this.write('setMember', { member, guard })
  }
  removeMember(name: string, subject: Subject, guard: AdminGuard = {}) {
    return this.write('removeMember', { project: name, subject, guard })
  }
  noteGroups(seen: Parameters<Store['noteGroups']>[0]) {
    return this.write('noteGroups', seen)
  }
  groupsOf(subject: Subject) {
    return this.read(groupsOf(subject))
  }
  createKey(key: NewKey) {
    return this.write('createKey', key)
  }
  keys(name: string) {
    return this.read(keys(name))
  }
  keyCredential(id: string) {
    return this.read(keyCredential(id))
  }
  rotateKey(name: string, id: string, rotation: KeyRotation) {
    return this.write('rotateKey', { project: name, id, ...rotation })
  }
  revokeKey(name: string, id: string, now: number) {
    return this.write('revokeKey', { project: name, id, now })
  }
  touchKey(id: string, use: { now: number; address: string | undefined }) {
    return this.write('touchKey', { id, ...use })
  }
  revokedBefore(subject: Subject) {
    return this.read(revokedBefore(subject))
  }
  revokeSubject(revocation: Parameters<Store['revokeSubject']>[0]) {
    return this.write('revokeSubject', revocation)
  }

  putSecret(input: Parameters<Store['putSecret']>[0]) {
    return this.write('putSecret', input)
  }
  deleteSecret(input: Parameters<Store['deleteSecret']>[0]) {
    return this.write('deleteSecret', input)
  }
  secrets(name: string) {
    return this.read(secrets(name))
  }
  sealedSecret(name: string, wanted: string) {
    return this.read(sealedSecret(name, wanted))
  }
  secretStamp(name: string) {
    return this.read(secretStamp(name))
  }
  knownSecrets(name: string) {
    return this.read(knownSecrets(name))
  }
  secretUsed(use: Parameters<Store['secretUsed']>[0]) {
    return this.write('secretUsed', use)
  }
  sealedBy() {
    return this.read(sealedBy())
  }
  secretsSealedBy(keyId: string, limit: number) {
    return this.read(secretsSealedBy(keyId, limit))
  }
  resealSecrets(items: Parameters<Store['resealSecrets']>[0]) {
    return this.write('resealSecrets', { items })
  }
  claimKeys(claim: Parameters<Store['claimKeys']>[0]) {
    return this.write('claimKeys', claim)
  }

  createBrowserSession(input: BrowserSessionRow) {
    return this.write('createBrowserSession', input)
  }
  browserSession(hash: string, at: { now: number; idleSince: number }) {
    return this.read(browserSession(hash, at))
  }
  touchBrowserSession(hash: string, usedAt: number) {
    return this.write('touchBrowserSession', { hash, usedAt })
  }
  claimBrowserSessions(query: { now: number; until: number; limit: number }) {
    return this.write('claimBrowserSessions', query)
  }
  refreshBrowserSession(hash: string, news: BrowserSessionNews) {
    return this.write('refreshBrowserSession', { hash, ...news })
  }
  browsersSealedBy(beginning: string) {
    return this.read(browsersSealedBy(beginning))
  }
  sealedBrowsers(beginning: string, limit: number) {
    return this.read(sealedBrowsers(beginning, limit))
  }
  resealBrowsers(items: Parameters<Store['resealBrowsers']>[0]) {
    return this.write('resealBrowsers', { items })
  }
  async endBrowsersSealedOtherwise(beginnings: string[]) {
    let ended = 0
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = { beginnings, after, limit: browserPage }
      const done: Operations['endBrowsersSealedOtherwise']['value'] = await this.write(
        'endBrowsersSealedOtherwise',
        page,
      )
      ended += done.ended
      after = done.next
    }
    return ended
  }
  removeBrowserSession(hash: string) {
    return this.write('removeBrowserSession', { hash })
  }
  endBrowserSessions(logout: IssuerLogout) {
    return this.write('endBrowserSessions', logout)
  }
}
