/** The shells for which there is a script. */
export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

// Each asks `berth __complete` with the words so far. Its answer: a directive, then a candidate a line, with a tab before
// its explanation. Nothing of the answer is ever evaluated.

const bash = `# bash completion for berth
_berth() {
  local line directive='' value text
  local -a values=() texts=()
  while IFS= read -r line; do
    if [[ -z $directive ]]; then directive=$line; continue; fi
    value=\${line%%$'\\t'*}
    text=\${line#*$'\\t'}
    values+=("$value")
    texts+=("$text")
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=()
  if [[ $directive == files ]]; then compopt -o default 2>/dev/null; return; fi
  [[ $directive == nospace ]] && compopt -o nospace 2>/dev/null
  if ((\${#values[@]} == 1)); then COMPREPLY=("\${values[0]}"); return; fi
  local i
  for i in "\${!values[@]}"; do
    # Of several only the common beginning is inserted, so the explanations may stand beside them.
    if [[ -n \${texts[i]} && $directive != nospace ]]; then COMPREPLY+=("\${values[i]}  (\${texts[i]})")
    else COMPREPLY+=("\${values[i]}"); fi
  done
}
complete -F _berth berth
`

const zsh = `#compdef berth
# zsh completion for berth
_berth() {
  local -a lines values texts
  local line
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ \${lines[1]} == files ]]; then _files; return; fi
  for line in "\${(@)lines[2,-1]}"; do
    [[ -z $line ]] && continue
    values+=("\${line%%$'\\t'*}")
    if [[ -n \${line#*$'\\t'} ]]; then texts+=("\${line%%$'\\t'*}  (\${line#*$'\\t'})")
    else texts+=("\${line%%$'\\t'*}"); fi
  done
  (( \${#values} )) || return 1
  if [[ \${lines[1]} == nospace ]]; then compadd -U -S '' -a values
  else compadd -U -l -d texts -a values; fi
}
if [[ \${funcstack[1]} == _berth ]]; then _berth "$@"; else compdef _berth berth; fi
`

const fish = `# fish completion for berth
function __berth_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l lines ($before[1] __complete -- $before[2..] "$current" 2>/dev/null)
  switch "$lines[1]"
    case files
      __fish_complete_path "$current"
    case '*'
      printf '%s\\n' $lines[2..]
  end
end
complete -c berth -f -a '(__berth_complete)'
`

export const scripts: Record<Shell, string> = { bash, zsh, fish }
