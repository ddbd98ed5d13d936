# bash completion of securid-ctl: `securid-ctl completions bash` prints this. What belongs at the cursor is
# securid-ctl's own to say; its answers come quoted, and nothing of them is evaluated.
_securid_ctl() {
    local answer
    # Not as an argument: those are open to everybody, and what stands in a line need not be.
    mapfile -t answer < <(command securid-ctl __complete bash --breaks="$COMP_WORDBREAKS" \
        <<<"${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    COMPREPLY=()
    case ${answer[0]-} in
        values) COMPREPLY=("${answer[@]:1}") ;;
        files) compopt -o default ;;
        folders) compopt -o default -o dirnames ;;
        program*)
            if declare -F _command_offset >/dev/null; then
                _command_offset "${answer[0]#program }"
            elif ((COMP_CWORD == ${answer[0]#program })); then
                mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
            else
                compopt -o default
            fi
            ;;
    esac
}
complete -o nosort -F _securid_ctl securid-ctl
