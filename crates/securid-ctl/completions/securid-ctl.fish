# fish completion of securid-ctl: `securid-ctl completions fish` prints this. What belongs at the cursor is
# securid-ctl's own to say; fish quotes its answers.
function __securid_ctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (command securid-ctl __complete fish --current=$current -- $words 2>/dev/null)
    switch "$answer[1]"
        case values
            printf '%s\n' $answer[2..]
        case files folders
            set -l before (string match -r -- '^--[^=]*=' $current)
            for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' $current))
                printf '%s\n' "$before$path"
            end
        case 'program *'
            set -l first (math 1 + (string replace 'program ' '' -- $answer[1]))
            __fish_complete_subcommand --commandline $words[$first..] $current
    end
end
complete -c securid-ctl -f -a '(__securid_ctl_complete)'
