# bash completion for domsnap. Commands and options come from domsnap's own help, so this file never lags behind it.

_domsnap_commands() { domsnap --help 2>/dev/null | sed -n 's/^    \([a-z][a-z-]*\) .*/\1/p'; }
_domsnap_options() { domsnap help "$1" 2>/dev/null | sed -n 's/^    \[\{0,1\}\(--[a-z-]*\).*/\1/p'; }

_domsnap_names() {
    local IFS=$'\n' word
    while read -r word; do
        [[ -n $word && $word == "$1"* ]] && COMPREPLY+=("$(printf %q "$word")")
    done
}

# The words after the command that are neither options nor their values.
_domsnap_arguments() {
    local word
    for word in "${@:2}"; do [[ $word == -* ]] || printf '%s\n' "$word"; done
}

_domsnap() {
    local cur=${COMP_WORDS[COMP_CWORD]} verb= at word
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; ++at)); do
        word=${COMP_WORDS[at]}
        case $word in
        --state-dir | --runtime-dir) ((++at)) ;;
        -*) ;;
        *) verb=$word; break ;;
        esac
    done
    if [[ -z $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_domsnap_commands) --state-dir --runtime-dir --quiet --json --no-progress --help --version" -- "$cur")
        return
    fi
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_domsnap_options "$verb")" -- "$cur")
        return
    fi
    local arguments
    mapfile -t arguments < <(_domsnap_arguments "${COMP_WORDS[@]:at:COMP_CWORD-at}")
    case $verb:${#arguments[@]} in
    help:0) mapfile -t COMPREPLY < <(compgen -W "$(_domsnap_commands)" -- "$cur") ;;
    snapshot-plan:0) mapfile -t COMPREPLY < <(compgen -W "create create-as revert delete" -- "$cur") ;;
    define:* | validate:* | snapshot-format:* | list:* | help:*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    adopt:*) _domsnap_names "$cur" < <(virsh -q list --all --name 2>/dev/null) ;;
    *:0) _domsnap_names "$cur" < <(domsnap -q list --all --name 2>/dev/null) ;;
    snapshot-create:* | snapshot-create-as:*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    snapshot-*:1) _domsnap_names "$cur" < <(domsnap -q snapshot-list --name -- "${arguments[0]}" 2>/dev/null) ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -F _domsnap domsnap
