import { hollow, openShadow, stage } from '../workspace/shadow-script.ts'

/** Makes the directory of a tree, and its repository when it has one (\`yes\`). No link may be in the way. */
export const makeTreeScript = `
set -eu
root=$1 below=$2 repository=$3 format=$4
work=$root$below
[ -d "$root" ] || mkdir -p -- "$root"
mkdir -p -- "$work"
[ "$(cd -- "$work" && pwd -P)" = "$(cd -- "$root" && pwd -P)$below" ] || { echo "something is in the way of $work" >&2; exit 1; }
[ "$repository" != yes ] || git init --quiet --template= --object-format="$format" -- "$work"
`

/** Reads a pack from its input into a repository. */
export const readPackScript = `
set -eu
export GIT_DIR=$1
git index-pack --stdin --fix-thin >/dev/null
`

/**
 * Sets branches, tags and HEAD of a repository as they come in by lines, and makes its index that of HEAD: what was not
 * committed is so again. Arguments: work tree, HEAD, origin, branch, user's name and address.
 */
export const setRefsScript = `
set -eu
work=$1 head=$2 url=$3 name=$4 email=$5
cd -- "$work"
export GIT_DIR="$work/.git" GIT_WORK_TREE="$work"
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
cat >"$lines"
sed -n 's/^shallow //p' "$lines" >"$GIT_DIR/shallow"
[ -s "$GIT_DIR/shallow" ] || rm -f "$GIT_DIR/shallow"
sed -n 's/^ref /create /p' "$lines" | git update-ref --stdin
case "$head" in
  refs/*) git symbolic-ref HEAD "$head" ;;
  ?*) git update-ref --no-deref HEAD "$head" ;;
esac
git config user.name "$name"
git config user.email "$email"
if [ -n "$url" ]; then
  git config remote.origin.url "$url"
  git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
fi
if git rev-parse -q --verify 'HEAD^{commit}' >/dev/null; then git read-tree HEAD; fi
`

/**
 * Writes the files of a tree as they were, byte for byte, by way of its shadow; empty directories come in by names that end
 * with NUL. Arguments: work tree, shadow, commit, then names that are left out.
 */
export const checkOutScript = `
set -eu
work=$1 shadow=$2 commit=$3
shift 3
${openShadow}
git read-tree --reset -u "$commit"
git update-ref refs/berth/restored "$commit"
xargs -0 -r mkdir -p --
[ -z "$common" ] || agent update-index -q --refresh || true
`

/** Makes an empty shadow, into which packs can be read. Arguments as above, without the commit. */
export const makeShadowScript = `
set -eu
work=$1 shadow=$2
shift 2
rm -rf "$shadow"
${openShadow}
`

/** Are the files of a commit all in a shadow? Arguments: work tree, shadow, commit, then names that are left out. */
export const hasFilesScript = `
set -eu
work=$1 shadow=$2 commit=$3
shift 3
${openShadow}
git rev-list --objects --quiet "$commit" 2>/dev/null && echo yes || echo no
`

/**
 * Makes the files of a tree those of a commit, and nothing else: what was added goes, what is ignored stays, and so do
 * branches, HEAD and index. May be repeated. Empty directories come in. Arguments: work tree, shadow, commit, most files,
 * most bytes, then names that are left out.
 */
export const setBackScript = `
set -eu
work=$1 shadow=$2 commit=$3 maxFiles=$4 maxBytes=$5
shift 5
${openShadow}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cat >"$out/keep"
${stage}
git read-tree --reset -u "$commit"
git update-ref refs/berth/restored "$commit"
${hollow}
xargs -0 -r -I{} find ./{} -depth -type d -empty ! -path '*/.git/*' -delete <"$out/bare"
xargs -0 -r mkdir -p -- <"$out/keep"
[ -z "$common" ] || agent update-index -q --refresh || true
`

/** Where a restore keeps what it has not yet put in its place or thrown away; in the workspace, so that it can be moved. */
export const asideName = '.berth-restore'

/** Throws away what an attempt that was killed left. Argument: workspace. */
const clearAside = `
cd -- "$1"
if [ -e ./${asideName} ]; then chmod -R u+rwX ./${asideName} 2>/dev/null || true; rm -rf -- ./${asideName}; fi
`

export const clearAsideScript = `set -eu${clearAside}`

/** Moves trees aside, by paths below the workspace that end with NUL. Argument: workspace. */
export const moveAsideScript = `
set -eu${clearAside}
mkdir -p ./${asideName}/away
xargs -0 -r -n 1 sh -c '
  n=$(ls ./${asideName}/away | wc -l)
  printf "%s" "$1" >"./${asideName}/path-$n"
  mv -T -- "./$1" "./${asideName}/away/$n"' sh
`

/** Moves trees to where they were before. Argument: workspace. */
export const moveBackScript = `
set -eu
cd -- "$1"
for path in ./${asideName}/path-*; do
  [ -e "$path" ] || continue
  away="./${asideName}/away/\${path##*-}"
  to=./$(cat "$path")
  [ -e "$away" ] || continue
  mkdir -p -- "$(dirname -- "$to")"
  rmdir -- "$to" 2>/dev/null || true
  mv -T -- "$away" "$to"
done
`

/** Moves a tree that was built aside to its place. Arguments: workspace, path. */
export const putInPlaceScript = `
set -eu
cd -- "$1"
mkdir -p -- "$(dirname -- "./$2")"
rm -rf -- "./$2"
mv -T -- "./${asideName}/built/$2" "./$2"
`

/** Takes a tree away that was put in place. Arguments: workspace, path. */
export const removeTreeScript = `
set -eu
cd -- "$1"
rm -rf -- "./$2"
`
