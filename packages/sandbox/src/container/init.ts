import { endNote } from './life.ts'

/** Tells the launcher that a shell is the first process, and reaps. */
export const CHILD_OPTION = '--below-init'

/**
 * The first process of a container inherits every orphan and has to reap it. Node waits for its own children alone, a
 * shell that waits reaps all: so the first process becomes a shell, and the launcher its child. It passes SIGTERM on, and
 * notes when the launcher ends by itself. One that the kernel killed for the container's memory did not: its end counts as
 * the container's. The image may have no other program than the shell.
 */
const script = `
note=$1
shift
killed_for_memory() {
  [ "$code" = 137 ] || return 1
  for file in /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events; do
    [ -r "$file" ] || continue
    while read -r key value; do
      if [ "$key" = oom_kill ] && [ "$value" -gt 0 ]; then return 0; fi
    done <"$file"
  done
  return 1
}
trap 'kill -TERM "$pid" 2>/dev/null' TERM INT
"$@" & pid=$!
while :; do
  wait "$pid"
  code=$?
  kill -0 "$pid" 2>/dev/null || break
done
killed_for_memory || echo "$code" >"$note"
exit "$code"
`

/** Replaces this process by the shell, which starts it again as a child. Comes back only by throwing. */
export function becomeInit(socket: string): void {
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1), CHILD_OPTION]
  if (process.execve === undefined) throw new Error('The launcher needs Node 24.')
  process.execve('/bin/sh', ['sh', '-c', script, 'berth-init', endNote(socket), ...own], process.env)
}
