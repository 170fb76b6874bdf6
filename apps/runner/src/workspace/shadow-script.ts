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
  /** Branches and tags. */
  refs: 2000,
  /** Repositories in a tree that are looked at. */
  inside: 64,
  /** Lists of empty directories and of repositories inside. */
  places: 2 * 1024 * 1024,
  timeMs: 60_000,
} as const

/** What the script's exit code says about files that can't be saved. */
export const shadowProblems: Record<number, string> = {
  41: 'its directory is gone, or is a link now',
  43: 'it has more files than a checkpoint may have (setting checkpointFiles)',
  44: 'its files are larger than a checkpoint may be (setting checkpointMiB)',
}

/** The exit code for a tree that isn't there: nothing of it has to be saved. */
export const goneCode = 41

/**
 * Makes the shadow of a tree: a git directory of Berth's own beside the workspace, which the agent never sees. Its
 * attributes win over those of the files, so that bytes are kept as they are; it borrows the objects of the agent's
 * repository, so that nothing is stored twice.
 */
export const openShadow = `
[ -d "$work" ] && [ ! -L "$work" ] || exit 41
cd "$work"
own="$work/.git"
common= format=sha1
[ ! -e "$own" ] || common=$(git --git-dir="$own" rev-parse --git-common-dir 2>/dev/null) || common=
agent() { [ -n "$common" ] && GIT_DIR="$own" GIT_WORK_TREE="$work" git "$@" 2>/dev/null; }
[ -z "$common" ] || format=$(agent rev-parse --show-object-format || echo sha1)
if [ ! -d "$shadow" ]; then
  rm -rf "$shadow.new"
  git init --quiet --bare --template= --object-format="$format" "$shadow.new"
  mkdir "$shadow.new/info"
  echo '* -text !filter !ident !eol !working-tree-encoding' >"$shadow.new/info/attributes"
  for setting in bare=false protectNTFS=false protectHFS=false bigFileThreshold=16m compression=1 checkStat=default; do
    git config --file "$shadow.new/config" "core.\${setting%%=*}" "\${setting#*=}"
  done
  mv "$shadow.new" "$shadow"
fi
if [ -n "$common" ] && [ -d "$common/objects" ]; then
  ln -sfn "$(cd "$common/objects" && pwd -P)" "$shadow/borrowed"
  echo ../borrowed >"$shadow/objects/info/alternates"
else
  : >"$shadow/objects/info/alternates"
fi
if [ -n "$common" ] && [ -f "$common/shallow" ]; then cp "$common/shallow" "$shadow/shallow"; else rm -f "$shadow/shallow"; fi
: >"$shadow/info/exclude"
for name in "$@"; do printf '/%s\\n' "$name" >>"$shadow/info/exclude"; done
export GIT_DIR="$shadow" GIT_WORK_TREE="$work" GIT_OPTIONAL_LOCKS=0
rm -f "$shadow/index.lock"
list() { git -c "core.excludesFile=$own/info/exclude" ls-files -z --exclude-standard "$@"; }
`

/**
 * Brings the shadow's index up to date and writes its tree. Only what differs by its stat data is read. Repositories
 * inside are noted as links to their commit, as git does, and listed in \`nested\`: they are saved by themselves.
 */
export const stage = `
stage() {
  : >"$out/notes"
  list --others --modified --deleted >"$out/all"
  agent ls-files -z --cached --ignored --exclude-standard >>"$out/all" || true
  { grep -zaE '/$' "$out/all" || true; } | sed -z 's,/$,,' >"$out/inside"
  grep -zavE '/$' "$out/all" >"$out/files" || true
  [ "$(tr -cd '\\0' <"$out/files" | wc -c)" -le "$maxFiles" ] || exit 43
  size=$(xargs -0 -r stat -c %s -- <"$out/files" 2>/dev/null | awk '{ s += $1 } END { printf "%.0f", s }')
  [ "\${size:-0}" -le "$maxBytes" ] || exit 44
  git update-index --add --remove --replace -z --stdin <"$out/files" 2>"$out/notes" ||
    git -c "core.excludesFile=$own/info/exclude" add --all --ignore-errors -- . 2>"$out/notes" || true
  : >"$out/links"
  if [ -s "$out/inside" ] || [ -e "$work/.gitmodules" ] || [ -s "$shadow/linked" ]; then
    git ls-files -z --stage | { grep -zaE '^160000' || true; } >"$out/was"
    { agent ls-files -z --stage || true; } | { grep -zaE '^160000' || true; } >"$out/links"
    sed -z 's/^[^\\t]*\\t//' "$out/was" "$out/links" >>"$out/inside"
    sed -z 's/^[0-9]* \\([0-9a-f]*\\) [0-9]\\t/0 \\1\\t/' "$out/was" >"$out/info"
    cat "$out/links" >>"$out/info"
    [ ! -s "$out/info" ] || git update-index -z --replace --index-info <"$out/info"
  fi
  sort -zu "$out/inside" | head -z -n ${snapshotLimits.inside} | xargs -0 -r -n 1 sh -c '[ ! -e "$1/.git" ] || [ -L "$1" ] || printf "%s\\0" "$1"' sh >"$out/nested"
  xargs -0 -r -n 1 git update-index --add --replace -- <"$out/nested" 2>/dev/null || true
  cat "$out/links" "$out/nested" >"$shadow/linked"
  tree=$(git write-tree 2>>"$out/notes")
}
stage || {
  # What the index refers to may be gone from the agent's repository: everything is read again.
  rm -f "$shadow/index"
  stage
}
`

/** Directories of which nothing is saved, as they are empty or hold repositories only. */
export const hollow = `
{ list --others --directory | grep -zaE '/$' || true; } >"$out/hollow"
sed -z 's,$,/,' "$out/nested" | sort -z >"$out/apart"
sort -z "$out/hollow" | comm -z -23 - "$out/apart" >"$out/bare"
`

const describe = `
git ls-files --debug | awk '
  /^  size: / { bytes += $2; files += 1 }
  END { printf "%d\\n%.0f\\n", files, bytes }' >"$out/size"
[ "$(head -n 1 "$out/size")" -le "$maxFiles" ] || exit 43
[ "$(tail -n 1 "$out/size")" -le "$maxBytes" ] || exit 44
${hollow}
xargs -0 -r -I{} find ./{} -name .git -prune -o -type d -empty -print0 <"$out/bare" | sed -z 's,^\\./,,; s,/$,,' >"$out/empty"
export GIT_AUTHOR_NAME=Berth GIT_AUTHOR_EMAIL=berth@berth.invalid
export GIT_COMMITTER_NAME=Berth GIT_COMMITTER_EMAIL=berth@berth.invalid
# Without a time: the same files are the same commit.
export GIT_AUTHOR_DATE='@0 +0000' GIT_COMMITTER_DATE='@0 +0000'
commit=$(git commit-tree -m 'Files of a session' "$tree" </dev/null)
git update-ref "$ref" "$commit"
echo "$commit" >"$out/commit"
head=$(agent symbolic-ref -q HEAD || agent rev-parse -q --verify 'HEAD^{commit}' || true)
echo "$head" >"$out/head"
format='%(if)%(symref)%(then)%(else)%(objectname) %(refname)%(end)'
merged=$(agent for-each-ref --format='--merged=%(objectname)' refs/heads | head -n 200 || true)
{
  agent for-each-ref --format="$format" refs/heads refs/stash
  [ -z "$merged" ] || agent for-each-ref --format="$format" $merged refs/tags refs/remotes
} | grep . | head -n ${snapshotLimits.refs} >"$out/refs" || true
cat "$shadow/shallow" >"$out/shallow" 2>/dev/null || : >"$out/shallow"
emit() { printf '%s %s\\n' "$1" "$(wc -c <"$2")"; cat "$2"; }
head -c ${snapshotLimits.places} "$out/empty" >"$out/empty-cut"
head -c ${snapshotLimits.places} "$out/nested" >"$out/nested-cut"
for name in commit size head refs shallow; do emit $name "$out/$name"; done
emit empty "$out/empty-cut"
emit nested "$out/nested-cut"
head -c 2000 "$out/notes" >"$out/said"
emit said "$out/said"
`

/** What differs from the base and from the last state. */
const compare = `
[ "$diffs" = yes ] || exit 0
empty=$(git hash-object -t tree -w --stdin </dev/null)
exists() { [ -n "$1" ] && git cat-file -e "$1^{tree}" 2>/dev/null; }
if ! exists "$base"; then
  [ -z "$base" ] || echo "berth: the base commit $base is gone" >>"$out/notes"
  base=
fi
exists "$last" || last=$base
before=\${base:-$empty} previous=\${last:-$empty}
tip=$(agent rev-parse -q --verify "refs/heads/$branch^{commit}" || agent rev-parse -q --verify 'HEAD^{commit}' || true)
commits=0
[ -z "$tip" ] || commits=$(git rev-list --count "$tip" \${base:+"^$base"} 2>/dev/null || echo 0)
diff() { git diff-tree -r -M -l1000 --no-ext-diff --no-textconv --no-commit-id "$@"; }
echo "$commits" >"$out/commits"
head -c 2000 "$out/notes" >"$out/said"
diff --shortstat "$before" "$commit" >"$out/total"
diff --raw --no-abbrev -z "$before" "$commit" | head -c ${snapshotLimits.list} >"$out/raw"
diff --numstat -z "$before" "$commit" | head -c ${snapshotLimits.list} >"$out/numstat"
diff --shortstat "$previous" "$commit" >"$out/turn"
diff -p --binary "$before" "$commit" | head -c ${snapshotLimits.patch + 1} >"$out/patch"
for name in commits said total raw numstat turn patch; do emit $name "$out/$name"; done
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

/**
 * Saves the files of a tree as a commit in its shadow, and prints what was saved and what differs. Writes nothing into
 * the work tree or the agent's repository.
 *
 * Arguments: work tree, shadow, base commit (or empty), last saved commit (or empty), ref to write, session branch, most
 * files, most bytes, whether to compare (`yes`), then names in the work tree that are left out.
 */
export const shadowScript = `
set -eu
work=$1 shadow=$2 base=$3 last=$4 ref=$5 branch=$6 maxFiles=$7 maxBytes=$8 diffs=$9
shift 9
${openShadow}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
${stage}${describe}${compare}`
