#!/bin/sh
# Asks the server for one thing, and prints its answer.
#
#   ./command.sh COMMAND [NAME=VALUE ...]                          with a session that there is ($SECURID_SESSION)
#   ./command.sh --login PASSWORD-FILE COMMAND [NAME=VALUE ...]    with one of its own, dead at the server in the end
#
# Exit status: 0 · 1 the server refuses · 2 usage · 68 no answer from the server · 75 the answer is there, but the
# server has not confirmed the end of the session yet (the daemon keeps trying) · 125 there was no session to begin with.
#
# The token goes from the daemon to this script's second half, and from there to curl by a pipe: everybody on this
# machine can read a command line. CURL_CA_BUNDLE names the certificate of a private CA.
set -eu
newline='
'

usage() {
    echo "usage: $0 [--login PASSWORD-FILE] COMMAND [NAME=VALUE ...]" >&2
    exit 2
}

# The second half, below securid-ctl exec.
ask() {
    token=$SECURID_TOKEN
    # What curl starts with has it no more.
    unset SECURID_TOKEN
    command=$1
    shift
    for argument; do
        shift
        set -- "$@" --url-query "$argument"
    done
    # printf is the shell's own: it is on no command line. An empty body has a length, which some firewalls want.
    answer=$(printf 'Authorization: Bearer %s\n' "$token" |
        curl --silent --show-error --max-time 30 --header @- --data '' --write-out '\n%{http_code}' \
            --header 'Accept: application/json' --header 'Content-Type: application/json' \
            --url-query "cmd=$command" --url-query format=json "$@" "$SECURID_URL") || exit 68
    status=${answer##*"$newline"}
    if [ "$status" != 200 ]; then
        # Not a redirect either, which curl does not follow unless told.
        echo "$0: the server answered $status" >&2
        exit 1
    fi
    printf '%s\n' "${answer%"$newline"*}"
}

case ${1-} in
--ask)
    shift
    ask "$@"
    ;;
--login)
    [ $# -ge 3 ] || usage
    file=$2
    shift 2
    # Revoked when the second half has ended, by whatever: the daemon has logoutUser carried out, and waits for its word.
    exec securid-ctl exec --login --password-file "$file" -- "$0" --ask "$@"
    ;;
'' | -*) usage ;;
*)
    # In use for as long as the second half runs, so that it does not become idle meanwhile.
    exec securid-ctl exec -- "$0" --ask "$@"
    ;;
esac
