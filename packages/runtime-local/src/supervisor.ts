/** Exit codes of a supervisor that never started its runner. */
export const supervisorExit = { cannotWrite: 74, claimed: 76 } as const

/**
 * The program (POSIX shell) that stands around one runner. It is small enough to run once per session, and needs no
 * backend: it claims the session, starts the runner, bounds its log, hands SIGTERM on, and writes down how it ended.
 *
 * Arguments: generation, start (ms), boot id, bytes of log, then the runner's command. Working directory: the run
 * directory. File descriptor 3 is closed as soon as `runner.json` stands. Arguments are only ever expanded inside
 * quotes or printed, so no data becomes code; the token arrives in the environment and is not touched.
 *
 * - `runner.json` is made with O_EXCL: of two supervisors, one runs a runner, whoever asked for them.
 * - The log is copied by `dd` in blocks as they come (nothing is held back), at most half of the limit per file.
 * - `exit.json` appears when the log is complete. Then the process group is ended, this shell with it: while it
 *   lives its process group id can't be used again, so nobody else's processes are hit.
 */
export const supervisorScript = String.raw`# supervises one runner of Berth
generation=$1 started_at=$2 boot=$3 log_bytes=$4
shift 4
umask 077
set -f
unset PWD OLDPWD SHLVL
term= child=
trap 'term=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM
trap '' HUP INT

field_22() { shift 19; start=$1; }
if [ -r "/proc/$$/stat" ]; then
  read -r stat < "/proc/$$/stat"
  field_22 ${'$'}{stat##*) }
else
  start=$(LC_ALL=C TZ=UTC0 ps -o lstart= -p $$)
fi

set -C
true > runner.json || {
  [ -e runner.json ] && exit ${supervisorExit.claimed}
  exit ${supervisorExit.cannotWrite}
}
set +C
printf '{"pid":%s,"start":"%s","boot":"%s","generation":%s,"startedAt":%s}\n' \
  $$ "$start" "$boot" "$generation" "$started_at" > runner.json || {
  rm -f runner.json
  exit ${supervisorExit.cannotWrite}
}
exec 3>&-

half=$((log_bytes / 2))
blocks=$((half / 16384))
[ "$blocks" -le 64 ] || blocks=64
room=$((half - blocks * 4096))

pump() {
  trap '' TERM
  size=0
  while dd bs=4096 count="$blocks" >> runner.log 2>/dev/null; do
    now=$(($(wc -c < runner.log)))
    [ "$now" -ne "$size" ] || return 0
    size=$now
    if [ "$size" -gt "$room" ]; then
      mv -f runner.log runner.log.1
      size=0
    fi
  done
  exec cat > /dev/null
}

rm -f log.pipe
mkfifo log.pipe
pump < log.pipe &
pump=$!
exec 4> log.pipe
"$@" >&4 2>&1 4>&- &
child=$!
exec 4>&-
[ -z "$term" ] || kill -TERM "$child"
rm -f log.pipe

# A trap interrupts wait: wait again, and keep what the first one said when there is nothing left to wait for.
term=
code=0
while :; do
  wait "$child"
  now=$?
  [ "$now" -eq 127 ] && [ -n "$term" ] || code=$now
  [ -n "$term" ] || break
  term=
done

printf '{"generation":%s,"code":%s}\n' "$generation" "$code" > exit.tmp
trap '' TERM
kill -TERM 0
(sleep 1; kill -KILL "$pump") &
wait "$pump"
mv -f exit.tmp exit.json
kill -KILL 0
`
