//! What shells need in order to ask `xm` itself: `xm --complete LINE`.

const BASH: &str = r#"# Completion of xm for bash.
_xm() {
    local line=${COMP_LINE:0:COMP_POINT} word
    local typed=${line##* }
    # What stands before these is no part of the word that bash replaces.
    local before=${typed%"${typed##*[=:]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        COMPREPLY+=("${word#"$before"}")
    done < <(xm --complete "$line" 2>/dev/null)
    case ${#COMPREPLY[@]}${COMPREPLY[0]-} in 1*[=/]) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _xm xm
"#;

const ZSH: &str = r#"#compdef xm
# Completion of xm for zsh.
_xm() {
    local -a closed closed_about open open_about
    local word about
    while IFS=$'\t' read -r word about; do
        case $word in
            *[=/]) open+=("$word") open_about+=("$word  $about") ;;
            *) closed+=("$word") closed_about+=("$word  $about") ;;
        esac
    done < <(xm --complete "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)
    compadd -Q -l -d closed_about -a closed
    compadd -Q -l -S '' -d open_about -a open
}
if [ "$funcstack[1]" = _xm ]; then _xm "$@"; else compdef _xm xm; fi
"#;

const FISH: &str = "# Completion of xm for fish.
complete --command xm --no-files --arguments '(xm --complete (commandline --cut-at-cursor --current-process) 2>/dev/null)'
";

/// The script for a shell; `None` for one that nobody wrote one for.
pub(in crate::xm) fn script(shell: &str) -> Option<&'static str> {
    match shell {
        "bash" => Some(BASH),
        "zsh" => Some(ZSH),
        "fish" => Some(FISH),
        _ => None,
    }
}
