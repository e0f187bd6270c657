# fish completion for domsnap. Commands and options come from domsnap's own help.

function __domsnap_verb
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or begin
            echo $word
            return 0
        end
    end
    return 1
end

function __domsnap_options
    domsnap help (__domsnap_verb) 2>/dev/null | string match -rg '^    \[?(--[a-z-]+)'
end

complete -c domsnap -f
complete -c domsnap -n 'not __domsnap_verb' -a "(domsnap --help 2>/dev/null | string replace -rf '^    ([a-z][a-z-]*) +(.*)' '\$1\t\$2')"
complete -c domsnap -n __domsnap_verb -a '(__domsnap_options)'
complete -c domsnap -n '__domsnap_verb' -a '(domsnap -q list --all --name 2>/dev/null)'
complete -c domsnap -n 'contains -- (__domsnap_verb) adopt' -a '(virsh -q list --all --name 2>/dev/null)'
complete -c domsnap -n 'contains -- (__domsnap_verb) define validate snapshot-format snapshot-create' -F
complete -c domsnap -l state-dir -l runtime-dir -r
complete -c domsnap -s q -l quiet -l json -l no-progress -s h -l help -l version
