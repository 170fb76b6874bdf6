import type { Actor, BlobRef, DeletionStep } from '@berth/contract'
import type { Page, ProjectEdit, ProjectFilter, Store, Viewer } from './port.ts'
import { ProgramAccess } from './program-access.ts'
import { base, existingBases } from './programs/bases.ts'
import {
  basesOf,
  countSessions,
  deletion,
  projectState,
  sessionsOf,
  unsettled,
} from './programs/lifecycle.ts'
import { project, projectSettings, projects } from './programs/projects.ts'
import { upload, uploads } from './programs/uploads.ts'

/** What the store does with projects, from their beginning to their end, and with what is kept beside their sessions. */
export class ProgramProjects extends ProgramAccess {
  createProject(input: Parameters<Store['createProject']>[0]) {
    return this.write('createProject', input)
  }
  project(name: string, viewer?: Viewer) {
    return this.read(project(name, viewer))
  }
  projectSettings(name: string) {
    return this.read(projectSettings(name))
  }
  projects(page: Page, filter?: ProjectFilter) {
    return this.read(projects(page, filter))
  }
  editProject(name: string, edit: ProjectEdit) {
    return this.write('editProject', { name, edit })
  }

  projectState(name: string) {
    return this.read(projectState(name))
  }
  setArchived(name: string, change: { archived: boolean; now: number }) {
    return this.write('setArchived', { project: name, ...change })
  }
  beginDeletion(name: string, begin: { by: Actor; now: number }) {
    return this.write('beginDeletion', { project: name, ...begin })
  }
  deletion(name: string) {
    return this.read(deletion(name))
  }
  setDeletionStep(name: string, step: DeletionStep) {
    return this.write('setDeletionStep', { project: name, step })
  }
  finishDeletion(name: string) {
    return this.write('finishDeletion', { project: name })
  }
  unsettled() {
    return this.read(unsettled())
  }
  sessionsOf(name: string, range: Parameters<Store['sessionsOf']>[1]) {
    return this.read(sessionsOf(name, range))
  }
  countSessions(name: string) {
    return this.read(countSessions(name))
  }
  basesOf(name: string, limit: number) {
    return this.read(basesOf(name, limit))
  }
  removeBase(scope: string) {
    return this.write('removeBase', { scope })
  }

  base(name: string, key: string) {
    return this.read(base(name, key))
  }
  useBase(session: string, wanted: { key: string; scope: string }) {
    return this.write('useBase', { session, ...wanted })
  }
  shareBases(from: string, to: string) {
    return this.write('shareBases', { from, to })
  }
  makeBase(name: string, wanted: { key: string; scope: string }) {
    return this.write('makeBase', { project: name, ...wanted })
  }
  completeBase(name: string, key: string, parts: BlobRef[]) {
    return this.write('completeBase', { project: name, key, parts })
  }
  dropBases(query: { now: number; before: number }) {
    return this.write('dropBases', query)
  }
  existingBases(scopes: string[]) {
    return this.read(existingBases(scopes))
  }

  createUpload(input: Parameters<Store['createUpload']>[0]) {
    return this.write('createUpload', input)
  }
  upload(id: string) {
    return this.read(upload(id))
  }
  uploads(session: string) {
    return this.read(uploads(session))
  }
  extendUpload(id: string, step: { from: number; to: number; parts: string[] }) {
    return this.write('extendUpload', { upload: id, ...step })
  }
  removeUpload(id: string) {
    return this.write('removeUpload', { upload: id })
  }
}
