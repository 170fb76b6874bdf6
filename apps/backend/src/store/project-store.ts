import type { Actor, Project, Settings, Subject } from '@berth/contract'
import type { Page } from './port.ts'

/** The names under which somebody sees sessions. */
export interface Viewer {
  subjects: readonly Subject[]
}

export interface ProjectFilter {
  /** Counts only the sessions that these see. Default: all. */
  viewer?: Viewer
  /** Archived ones too. Default: false. */
  archived?: boolean
}

export interface ProjectRow extends Project {
  settings: Settings
  settingsVersion: number
}

export interface ProjectEdit {
  displayName?: string
  description?: string
  settings?: Settings
  expectedVersion: number
  now: number
}

/** Projects with their settings; part of the store's port. */
export interface ProjectStore {
  /**
   * Rejects with `project_exists`, also while one of that name is being deleted; with `too_many_projects` when its creator has
   * created `maxOwn` that are still there. The creator becomes its admin.
   */
  createProject(project: {
    name: string
    displayName: string
    description: string
    settings: Settings
    now: number
    /** Missing: the backend itself. */
    creator?: Actor
    /** Default: no limit. */
    maxOwn?: number
  }): Promise<ProjectRow>
  /** `viewer`: counts only the sessions that these see. */
  project(name: string, viewer?: Viewer): Promise<ProjectRow | undefined>
  /** Only its settings: cheap, for what asks often. */
  projectSettings(name: string): Promise<Pick<ProjectRow, 'settings' | 'settingsVersion'> | undefined>
  /** By name; without archived ones, unless asked. */
  projects(page: Page, filter?: ProjectFilter): Promise<{ items: ProjectRow[]; next?: string }>
  /** Rejects with `version_mismatch`; settings and names have a version each. */
  editProject(name: string, edit: ProjectEdit): Promise<ProjectRow>
}
