#!/usr/bin/env bash
# Checks what Scripts/install.sh installs: into a prefix with a space; completions as bash and zsh show them in a terminal
# (tmux; where they are installed); manual pages without a warning; removal to the last file.
#
#   Scripts/check_install.sh                    the program that was built last
#   Scripts/check_install.sh --binary FILE
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = "--binary" ]; then binary=$2; else binary=$(swift build -c release --show-bin-path)/vidclass; fi
work=$(mktemp -d)
server=vidclass-check-$$
trap 'tmux -L "$server" kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
prefix="$work/a prefix"
failures=0
fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

Scripts/install.sh --binary "$binary" "$prefix" >"$work/log"
[ "$("$prefix/bin/vidclass" --version)" = "$("$binary" --version)" ] || fail "the installed program does not run"
for file in bin/vidclass share/bash-completion/completions/vidclass share/zsh/site-functions/_vidclass \
    share/fish/vendor_completions.d/vidclass.fish share/man/man1/vidclass.1 share/man/man1/vidclass-weights-fetch.1; do
    [ -s "$prefix/$file" ] || fail "$file is missing"
done

# Completions. Each line: what is typed before the Tab, a text that must be shown then, one that must not.
cases=(
    "vidclass tr|vidclass train |FAILED"
    "vidclass |predict|generate-manual"
    "vidclass com|vidclass compare |FAILED"
    "vidclass train --con|--config|--cache"
    "vidclass train --config con|config.json|config.txt"
    "vidclass train --set training.ep|training.epochs=|shuffle"
    "vidclass predict clip2|clip2.bin|clip2.txt"
    "vidclass predict --format |json|xml"
    "vidclass weights |fetch|predict"
    "vidclass weights fetch |vgg19|vgg20"
    "vidclass compare runs/tr|runs/train/|FAILED"
    "vidclass eval --split |test|FAILED"
)

pane() { tmux -L "$server" capture-pane -p -t "$1"; }

# Waits up to five seconds for a text on the screen.
wait_for() { # window, text
    for _ in $(seq 50); do
        if pane "$1" | grep -qF -- "$2"; then return 0; fi
        sleep 0.1
    done
    return 1
}

type_keys() { tmux -L "$server" send-keys -t "$@"; }

check_shell() { # name, command
    local line wanted other
    tmux -L "$server" new-session -d -s "$1" -x 200 -y 50 -c "$work/here" -e "PREFIX_UNDER_TEST=$prefix" "$2"
    wait_for "$1" "ready>" || { fail "$1 does not start: $(pane "$1")"; return; }
    for entry in "${cases[@]}"; do
        IFS='|' read -r line wanted other <<<"$entry"
        type_keys "$1" C-u
        type_keys "$1" C-l
        type_keys "$1" -l "$line"
        type_keys "$1" Tab
        sleep 0.2
        type_keys "$1" Tab
        # A busy machine may have taken two Tabs for one.
        wait_for "$1" "$wanted" || { type_keys "$1" Tab && wait_for "$1" "$wanted"; } || fail "$1: \"$line\" does not offer $wanted: $(pane "$1" | grep . | head -5)"
        if pane "$1" | grep -qF -- "$other"; then fail "$1: \"$line\" offers $other"; fi
        type_keys "$1" C-u
    done
    # No space behind the "=" of a key.
    type_keys "$1" C-l
    type_keys "$1" -l "vidclass train --set training.ep"
    type_keys "$1" Tab
    wait_for "$1" "training.epochs=" && type_keys "$1" -l "7"
    wait_for "$1" "training.epochs=7" || fail "$1: a space behind training.epochs="
    tmux -L "$server" kill-session -t "$1"
    echo "$1: ${#cases[@]} completions"
}

mkdir -p "$work/here/runs/train/weights" "$work/zsh"
touch "$work/here/clip2.bin" "$work/here/clip2.txt" "$work/here/config.json" "$work/here/config.txt"
cat >"$work/bashrc" <<'RC'
PS1='ready> '
PATH="$PREFIX_UNDER_TEST/bin:$PATH"
bind 'set bell-style none' 'set completion-query-items 1000' 'set page-completions off'
if [ -r /usr/share/bash-completion/bash_completion ]; then
    export XDG_DATA_DIRS="$PREFIX_UNDER_TEST/share"
    source /usr/share/bash-completion/bash_completion
else
    source "$PREFIX_UNDER_TEST/share/bash-completion/completions/vidclass"
fi
RC
cat >"$work/zsh/.zshrc" <<'RC'
PS1='ready> '
PATH="$PREFIX_UNDER_TEST/bin:$PATH"
setopt no_beep
fpath=("$PREFIX_UNDER_TEST/share/zsh/site-functions" $fpath)
autoload -Uz compinit
compinit -u -D
RC
if ! command -v tmux >/dev/null; then
    echo "no tmux here: completions are not tried"
else
    check_shell bash "bash --noprofile --rcfile '$work/bashrc' -i"
    if command -v zsh >/dev/null; then check_shell zsh "ZDOTDIR='$work/zsh' zsh -i"; else echo "no zsh here"; fi
fi
if command -v fish >/dev/null; then fish --no-execute "$prefix/share/fish/vendor_completions.d/vidclass.fish" || fail "the completions of fish"; fi

# Manual pages.
count=0
for page in "$prefix"/share/man/man1/*.1; do
    count=$((count + 1))
    if command -v groff >/dev/null; then
        warnings=$(groff -K utf8 -man -Tutf8 -ww -rLL=80n "$page" 2>&1 >"$work/page") || true
        [ -z "$warnings" ] || fail "${page##*/}: $warnings"
        grep -q "EXAMPLE\|vidclass" "$work/page" || fail "${page##*/} is empty"
    fi
    if command -v man >/dev/null; then
        warnings=$(MANWIDTH=80 man --warnings -l "$page" 2>&1 >/dev/null) || true
        [ -z "$warnings" ] || fail "${page##*/}: $warnings"
    fi
done
echo "manual: $count pages"

# Removal; and DESTDIR, which must not show in what is installed.
Scripts/install.sh --uninstall "$prefix" >"$work/log"
[ ! -e "$prefix" ] || [ -z "$(find "$prefix" -type f)" ] || fail "left behind: $(find "$prefix" -type f)"
DESTDIR="$work/package" Scripts/install.sh --binary "$binary" /usr >"$work/log"
[ -x "$work/package/usr/bin/vidclass" ] || fail "DESTDIR is not honoured"
if grep -rqF "$work/package" "$work/package/usr/share"; then fail "DESTDIR is in an installed file"; fi

[ "$failures" -eq 0 ] || { echo "$failures checks failed" >&2; exit 1; }
echo "all is well"
