# bash completion for nanoacme. Verbs and flags are what `nanoacme --help` says, so that there is no second list of them.

# Sets state: what the line so far names, or the default.
_nanoacme_state()
{
    local i
    state=/var/lib/nanoacme
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == --state ]] && state=${COMP_WORDS[i + 1]}
    done
}

# Certificates there are, under the names that verbs take.
_nanoacme_names()
{
    local state entry
    _nanoacme_state
    for entry in "$state"/*; do
        [[ -L $entry ]] || continue
        entry=${entry##*/}
        case $entry in
        _.*) printf '*%s\n' "${entry#_}" ;; # of a wildcard
        *) printf '%s\n' "${entry//_/:}" ;; # of an IPv6 address, which is as it is in no other
        esac
    done
}

_nanoacme()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local help line verb='' verbs='' flags='-c -h --help --version' argument='' i names IFS=$' \t\n'
    local -A takes=([-c]=FILE)

    help=$("$1" --help 2>/dev/null) || return
    while IFS= read -r line; do
        if [[ $line =~ ^'  '([a-z][a-z-]*)(' '|$) ]]; then
            verbs+=" ${BASH_REMATCH[1]}"
        elif [[ $line =~ ^'  '(-[-a-z]+)(' '([A-Z][^ ]*))? ]]; then
            [[ ${BASH_REMATCH[1]} == -h || ${BASH_REMATCH[1]} == --version ]] && continue
            [[ ${BASH_REMATCH[1]} == -c ]] || flags+=" ${BASH_REMATCH[1]}"
            takes[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}
        fi
    done <<<"$help"
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -* ]]; then
            [[ -n ${takes[${COMP_WORDS[i]}]:-} ]] && ((i++))
        elif [[ -z $verb ]]; then
            verb=${COMP_WORDS[i]}
        fi
    done
    [[ $prev == -* ]] && argument=${takes[$prev]:-}
    COMPREPLY=()
    case $argument in
    '')
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
        elif [[ -z $verb ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
        elif [[ $verb == account ]]; then
            mapfile -t COMPREPLY < <(compgen -W 'show update' -- "$cur")
        else
            names=$(_nanoacme_names)
            mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur")
        fi
        ;;
    FILE | PEM | CMD) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    GROUP) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
    LIST) mapfile -t COMPREPLY < <(compgen -W 'http-01 dns-01 tls-alpn-01 dns-account-01 dns-persist-01' -- "$cur") ;;
    NAME) [[ $prev == --user ]] && mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
    esac
}

complete -o filenames -F _nanoacme nanoacme
