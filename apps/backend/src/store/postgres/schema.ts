import { sqliteSchema } from '../migrations/0001.ts'

/**
 * The one migration in PostgreSQL's words. Text is compared byte by byte, as SQLite does it: keyset cursors and the order of
 * lists depend on it.
 */
export const postgresSchema: string = sqliteSchema
  .replaceAll('INTEGER PRIMARY KEY AUTOINCREMENT', 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY')
  .replaceAll(/\bINTEGER\b/g, 'BIGINT')
  .replaceAll(/\bREAL\b/g, 'DOUBLE PRECISION')
  .replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"')
  .replaceAll(/\) (WITHOUT ROWID, )?STRICT;/g, ');')
