/** Exit codes of the pack script, in words. */
export const packProblems: Record<number, string> = {
  45: 'objects that it needs are gone from the repository',
  46: 'git could not pack its objects',
}

/**
 * Writes a pack of what is wanted and not had to its output. Objects come in by lines, those that are had with a \`^\`
 * before; what is had and gone is of no use and left out. When it fails, the tree is read anew at the next save, because
 * its index may name objects that the agent's repository has dropped.
 *
 * Arguments: shadow, whether everything is packed anew (\`yes\`).
 */
export const packScript = `
set -eu
export GIT_DIR=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cat >"$out/list"
sed 's/^^//' "$out/list" | git cat-file --batch-check='%(objectname)' >"$out/found"
paste -d ' ' "$out/list" "$out/found" | awk -v wants="$out/wants" -v lost="$out/lost" '
  $3 != "missing" { print $1 >wants }
  $3 == "missing" && $1 !~ /^\\^/ { print $1 >lost }'
if [ -s "$out/lost" ]; then rm -f "$GIT_DIR/index"; exit 45; fi
[ "$2" != yes ] || git repack -d -l -q
missing=
for promise in "$GIT_DIR"/borrowed/pack/*.promisor; do [ ! -e "$promise" ] || missing=--missing=allow-any; done
git pack-objects --revs --stdout -q --thin --shallow --delta-base-offset --threads=1 $missing <"$out/wants" ||
  { rm -f "$GIT_DIR/index"; exit 46; }
`
