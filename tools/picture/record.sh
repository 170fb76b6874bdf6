#!/usr/bin/env bash
# Makes docs/images/session.svg from a real session: needs a Berth that runs (`npm start`), with the scripted model.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
place=$(mktemp -d "$HOME/berth-picture-XXXXXX")
trap 'rm -rf "$place"' EXIT
repository=$place/tidy-durations
cp -R "$root/packages/scripted-model/sample-repo" "$repository"
git -C "$repository" init --quiet --initial-branch main
git -C "$repository" add --all
git -C "$repository" -c user.name=you -c user.email=you@localhost commit --quiet --message 'A library'
cd "$place"
export PATH="$root/node_modules/.bin:$PATH" TERM=xterm-256color
unset NO_COLOR npm_execpath
# A terminal of its own, so that the output is what a person sees.
on_terminal() { script --quiet --return --command "stty cols 88; $1" /dev/null </dev/null; }
shown() {
  printf '\033[2m$\033[22m \033[1m%s\033[22m\n' "$1"
  on_terminal "$1"
}
{
  shown 'berth run "Fix the failing test" --repo tidy-durations'
  printf '\n'
  shown 'berth diff last'
} | node "$root/tools/picture/write.ts"
