/**
 * Shell text: lets git read a mirror that another user has made, as in a pod. What it starts to read from there takes this
 * from a file alone, never from its environment.
 */
export const trustMirror = `
trust=$(mktemp)
trap 'rm -f "$trust"' EXIT
printf '[safe]\\n\\tdirectory = *\\n' >"$trust"
export GIT_CONFIG_GLOBAL="$trust"
`
