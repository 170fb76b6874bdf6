/** Limits of what comes out of one repository, in bytes unless the name says otherwise. */
export const snapshotLimits = {
  /** Each of the two patches. */
  patch: 8 * 1024 * 1024,
  /** The list of changed files. */
  list: 4 * 1024 * 1024,
  /** One file's content. */
  file: 1024 * 1024,
  /** All contents together. */
  contents: 32 * 1024 * 1024,
  contentFiles: 200,
  files: 2000,
  timeMs: 60_000,
} as const

/** What the script's exit code says about a repository that can't be saved. */
export const shadowProblems: Record<number, string> = {
  41: 'its directory is gone, or is a link now',
  42: 'its .git is gone',
}

/**
 * Saves the files of a repository as a commit under refs/berth, and prints what differs. Works on a copy of the
 * index, and touches neither the agent's index nor its branch, HEAD or stash.
 *
 * Arguments: work tree, git directory, index file, base commit (or empty), last saved commit (or empty), ref to write,
 * session branch. Prints the sections commit, commits, notes, total, raw, numstat, turn, patch, turn-patch, contents.
 */
export const shadowScript = `
set -eu
work=$1 git=$2 index=$3 base=$4 last=$5 ref=$6 branch=$7
[ -d "$work" ] && [ ! -L "$work" ] || exit 41
[ -e "$git" ] || { [ "$git" != "$work/.git" ] && git init --quiet --bare --template= "$git"; } || exit 42
cd "$work"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export GIT_DIR="$git" GIT_WORK_TREE="$work"
own=$(git rev-parse --absolute-git-dir)/index
export GIT_INDEX_FILE="$index"
rm -f "$index.lock"
if [ "$git" = "$work/.git" ]; then
  rm -f "$index"
  if [ -f "$own" ]; then cp -p "$own" "$index"; else git read-tree --empty; fi
fi
git add --all --ignore-errors -- . 2>"$out/notes" || true
tree=$(git write-tree)
empty=$(git hash-object -t tree -w --stdin </dev/null)
exists() { [ -n "$1" ] && git cat-file -e "$1^{commit}" 2>/dev/null; }
if ! exists "$base"; then
  [ -z "$base" ] || echo "berth: the base commit $base is gone" >>"$out/notes"
  base=
fi
exists "$last" || last=$base
export GIT_AUTHOR_NAME=Berth GIT_AUTHOR_EMAIL=berth@berth.invalid
export GIT_COMMITTER_NAME=Berth GIT_COMMITTER_EMAIL=berth@berth.invalid
commit=$(git commit-tree \${last:+-p "$last"} -m "State after $ref" "$tree" </dev/null)
git update-ref --no-deref "$ref" "$commit"
before=\${base:-$empty} previous=\${last:-$empty}
tip=$(git rev-parse -q --verify "refs/heads/$branch^{commit}" || git rev-parse -q --verify 'HEAD^{commit}' || true)
commits=0
[ -z "$tip" ] || commits=$(git rev-list --count "$tip" \${base:+"^$base"})
diff() { git diff-tree -r -M -l1000 --no-ext-diff --no-textconv --no-commit-id "$@"; }
emit() { printf '%s %s\\n' "$1" "$(wc -c <"$2")"; cat "$2"; }
echo "$commit" >"$out/commit"
echo "$commits" >"$out/commits"
head -c 2000 "$out/notes" >"$out/said"
diff --shortstat "$before" "$commit" >"$out/total"
diff --raw --no-abbrev -z "$before" "$commit" | head -c ${snapshotLimits.list} >"$out/raw"
diff --numstat -z "$before" "$commit" | head -c ${snapshotLimits.list} >"$out/numstat"
diff --shortstat "$previous" "$commit" >"$out/turn"
diff -p --binary "$before" "$commit" | head -c ${snapshotLimits.patch + 1} >"$out/patch"
for name in commit commits said total raw numstat turn patch; do emit $name "$out/$name"; done
if [ "$previous" != "$before" ]; then
  diff -p --binary "$previous" "$commit" | head -c ${snapshotLimits.patch + 1} >"$out/turn-patch"
  emit turn-patch "$out/turn-patch"
fi
echo 'contents -'
diff --raw --no-abbrev "$before" "$commit" | awk '$5 !~ /^D/ && $2 != "160000" { print $4 }' |
  head -n ${snapshotLimits.contentFiles} | git cat-file --batch-check |
  awk '$2 == "blob" && $3 <= ${snapshotLimits.file} && (all += $3) <= ${snapshotLimits.contents} { print $1 }' |
  git cat-file --batch
`
