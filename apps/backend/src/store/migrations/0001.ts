/** The first schema, edited in place until the first release; `schema.ts` describes its columns. */
export const sqliteSchema = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;

CREATE TABLE projects (
  name TEXT PRIMARY KEY,
  display_name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  settings TEXT NOT NULL,
  settings_version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  forgotten INTEGER NOT NULL,
  state TEXT NOT NULL,
  created_by TEXT NOT NULL,
  deletion TEXT
) WITHOUT ROWID, STRICT;
CREATE INDEX projects_creator ON projects (created_by);

CREATE TABLE former_projects (name TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID, STRICT;

CREATE TABLE members (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  subject TEXT NOT NULL,
  role TEXT NOT NULL,
  name TEXT,
  added_at INTEGER NOT NULL,
  added_by TEXT NOT NULL,
  PRIMARY KEY (project, subject)
) WITHOUT ROWID, STRICT;
CREATE INDEX members_subject ON members (subject);

CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  previous_hash TEXT,
  grace_until INTEGER,
  created_by TEXT NOT NULL,
  creator TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  rotated_at INTEGER,
  last_used_at INTEGER,
  last_address TEXT,
  revoked_at INTEGER
) WITHOUT ROWID, STRICT;
CREATE INDEX keys_project ON keys (project, id);
CREATE INDEX keys_creator ON keys (creator);

CREATE TABLE revocations (
  subject TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE known_groups (
  subject TEXT PRIMARY KEY,
  groups TEXT NOT NULL,
  seen_at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE sessions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL REFERENCES projects (name),
  created_at INTEGER NOT NULL,
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  visibility TEXT NOT NULL,
  shares TEXT NOT NULL,
  title_folded TEXT NOT NULL,
  phase TEXT NOT NULL,
  deleted INTEGER NOT NULL,
  due_at INTEGER,
  room TEXT,
  room_since INTEGER,
  memory_mib INTEGER,
  milli_cpus INTEGER,
  generation INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  summary TEXT NOT NULL,
  rest TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_listed ON sessions (project, deleted, created_at DESC, id DESC, phase, owner_id, owner_kind, visibility);
CREATE INDEX sessions_changed ON sessions (project, revision);
CREATE INDEX sessions_due ON sessions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX sessions_room ON sessions (room) WHERE room IS NOT NULL;

CREATE TABLE labels (
  session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (session, key)
) WITHOUT ROWID, STRICT;

CREATE TABLE events (
  place INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  turn TEXT,
  block TEXT,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX events_deltas ON events (session, block) WHERE block IS NOT NULL;
CREATE INDEX events_types ON events (session, type) WHERE block IS NULL;

CREATE TABLE completed_blocks (
  session INTEGER NOT NULL,
  block TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (session, block)
) WITHOUT ROWID, STRICT;
CREATE INDEX completed_due ON completed_blocks (due_at);

CREATE TABLE usage (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  day TEXT NOT NULL,
  user_id TEXT NOT NULL,
  model TEXT NOT NULL,
  requests INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_usd REAL NOT NULL,
  PRIMARY KEY (project, day, user_id, model)
) WITHOUT ROWID, STRICT;

CREATE TABLE session_usage (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  session TEXT NOT NULL,
  day TEXT NOT NULL,
  model TEXT NOT NULL,
  requests INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_usd REAL NOT NULL,
  PRIMARY KEY (project, session, day, model)
) WITHOUT ROWID, STRICT;

CREATE TABLE budget_usage (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  period TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  cost_usd REAL NOT NULL,
  PRIMARY KEY (project, user_id, period)
) WITHOUT ROWID, STRICT;

CREATE TABLE purges (session INTEGER PRIMARY KEY) STRICT;

CREATE TABLE tombstones (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  session TEXT NOT NULL,
  at INTEGER NOT NULL,
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  visibility TEXT NOT NULL,
  shares TEXT NOT NULL,
  kept TEXT,
  PRIMARY KEY (project, revision)
) WITHOUT ROWID, STRICT;
CREATE INDEX tombstones_at ON tombstones (at);

CREATE TABLE generations (
  session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
  generation INTEGER NOT NULL,
  token_hash TEXT UNIQUE,
  started_at INTEGER NOT NULL,
  heartbeat_at INTEGER,
  seen_at INTEGER NOT NULL,
  live INTEGER NOT NULL,
  memory_bytes INTEGER,
  PRIMARY KEY (session, generation)
) WITHOUT ROWID, STRICT;
CREATE INDEX generations_seen ON generations (seen_at) WHERE live = 1;

CREATE TABLE bases (
  scope TEXT PRIMARY KEY,
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  key TEXT NOT NULL,
  parts TEXT,
  idle_since INTEGER,
  UNIQUE (project, key)
) WITHOUT ROWID, STRICT;

CREATE TABLE base_uses (
  session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
  scope TEXT NOT NULL REFERENCES bases (scope) ON DELETE CASCADE,
  PRIMARY KEY (session, scope)
) WITHOUT ROWID, STRICT;
CREATE INDEX base_uses_scope ON base_uses (scope);
CREATE TABLE logs (
  session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  source TEXT NOT NULL,
  level TEXT,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (session, n)
) WITHOUT ROWID, STRICT;

CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
  project TEXT NOT NULL,
  path TEXT NOT NULL,
  size INTEGER NOT NULL,
  about TEXT NOT NULL,
  stored INTEGER NOT NULL,
  parts TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX uploads_session ON uploads (session);
CREATE INDEX uploads_project ON uploads (project, size);
CREATE INDEX uploads_created ON uploads (created_at);

CREATE TABLE secrets (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  variable TEXT,
  note TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER,
  used_for TEXT,
  PRIMARY KEY (project, name)
) WITHOUT ROWID, STRICT;

CREATE TABLE secret_versions (
  project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  sealed TEXT NOT NULL,
  key_id TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  set_at INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  replaced_at INTEGER,
  PRIMARY KEY (project, name, version)
) WITHOUT ROWID, STRICT;
CREATE INDEX secret_versions_key ON secret_versions (key_id, project, name, version);
CREATE INDEX secret_versions_replaced ON secret_versions (replaced_at) WHERE replaced_at IS NOT NULL;

CREATE TABLE secret_stamps (
  project TEXT PRIMARY KEY REFERENCES projects (name) ON DELETE CASCADE,
  stamp INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE idempotency (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  hash TEXT NOT NULL,
  session TEXT NOT NULL,
  summary TEXT NOT NULL,
  first INTEGER NOT NULL,
  position INTEGER NOT NULL,
  prompt TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) WITHOUT ROWID, STRICT;
CREATE INDEX idempotency_created ON idempotency (created_at);
CREATE INDEX idempotency_session ON idempotency (session);

CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE grants (
  kind TEXT NOT NULL,
  hash TEXT NOT NULL,
  subject TEXT NOT NULL,
  principal TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (kind, hash)
) WITHOUT ROWID, STRICT;
CREATE INDEX grants_expiry ON grants (expires_at);
CREATE INDEX grants_subject ON grants (subject);

CREATE TABLE audit (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT,
  action TEXT NOT NULL,
  project TEXT,
  session TEXT,
  object_kind TEXT,
  object_id TEXT,
  result TEXT NOT NULL,
  code TEXT,
  address TEXT,
  request_id TEXT,
  details TEXT,
  number INTEGER UNIQUE,
  previous TEXT,
  digest TEXT,
  seal TEXT,
  key_id TEXT
) STRICT;
CREATE INDEX audit_unsealed ON audit (place) WHERE number IS NULL;
CREATE INDEX audit_project ON audit (project, place);

CREATE TABLE browser_sessions (
  hash TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL,
  identity TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  refresh_at INTEGER,
  sealed TEXT,
  sid TEXT
) WITHOUT ROWID, STRICT;
CREATE INDEX browser_sessions_subject ON browser_sessions (subject);
CREATE INDEX browser_sessions_sid ON browser_sessions (sid) WHERE sid IS NOT NULL;
CREATE INDEX browser_sessions_due ON browser_sessions (refresh_at) WHERE refresh_at IS NOT NULL;
CREATE INDEX browser_sessions_user ON browser_sessions (user_id);
CREATE INDEX browser_sessions_expiry ON browser_sessions (expires_at);

CREATE TABLE audit_chain (
  name TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  digest TEXT NOT NULL,
  at INTEGER,
  key_id TEXT,
  signature TEXT
) WITHOUT ROWID, STRICT;

CREATE TABLE audit_heads (
  number INTEGER PRIMARY KEY,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL
) STRICT;
`
