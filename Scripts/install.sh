#!/usr/bin/env bash
# Installs vidclass: the program, completions for bash, zsh and fish, manual pages, example configurations, and on request the plug-in for
# MPI. Scripts/package.sh makes its packages of what this script installs. See --help.
set -euo pipefail

usage() {
    cat <<'TEXT'
Install vidclass: the program, shell completions, manual pages and example configurations.

  Scripts/install.sh                       into /usr/local (as root, or with sudo)
  Scripts/install.sh ~/.local              into your own folders, without root
  Scripts/install.sh --mpi ~/.local        with the plug-in that connects it to MPI, for several machines
  Scripts/install.sh --uninstall ~/.local
  DESTDIR=/tmp/package Scripts/install.sh /usr

usage: Scripts/install.sh [--uninstall] [--mpi] [--binary FILE] [PREFIX]

  PREFIX         where to install; /usr/local by default
  --mpi          build and install the plug-in for MPI, too, against the MPI of mpicc (or of $MPICC)
  --binary FILE  install this program instead of building one
  --uninstall    remove what was installed there
  DESTDIR        (environment) a folder to put before PREFIX, for making packages

It writes
  PREFIX/bin/vidclass
  PREFIX/share/bash-completion/completions/vidclass
  PREFIX/share/zsh/site-functions/_vidclass
  PREFIX/share/fish/vendor_completions.d/vidclass.fish
  PREFIX/share/man/man1/vidclass*.1
  PREFIX/share/vidclass/*.json             example configurations and their JSON schema
  PREFIX/share/doc/vidclass                README, changes and license
  PREFIX/lib/vidclass/libvidclass_mpi.so   (with --mpi)

bash (with the package bash-completion), fish and man find these by themselves for /usr, /usr/local and ~/.local. zsh
searches $fpath; for another prefix than /usr and /usr/local put this into ~/.zshrc before compinit:
  fpath=(PREFIX/share/zsh/site-functions $fpath)
TEXT
}

prefix=
binary=
uninstall=false
mpi=false
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help)
            usage
            exit 0
            ;;
        --uninstall) uninstall=true ;;
        --mpi) mpi=true ;;
        --binary)
            [ $# -gt 1 ] || { echo "install.sh: --binary takes a file" >&2; exit 64; }
            binary=$2
            shift
            ;;
        -*)
            echo "install.sh: unknown option $1; see --help" >&2
            exit 64
            ;;
        *)
            [ -z "$prefix" ] || { echo "install.sh: one prefix at a time; see --help" >&2; exit 64; }
            prefix=$1
            ;;
    esac
    shift
done
prefix=${prefix:-/usr/local}
# The program and its pages are found by absolute paths.
case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
root=${DESTDIR:-}$prefix
bash_file=$root/share/bash-completion/completions/vidclass
# Debian's zsh does not search /usr/share/zsh/site-functions.
case "$prefix" in /usr) zsh_folder=share/zsh/vendor-completions ;; *) zsh_folder=share/zsh/site-functions ;; esac
zsh_file=$root/$zsh_folder/_vidclass
fish_file=$root/share/fish/vendor_completions.d/vidclass.fish
man_folder=$root/share/man/man1
data_folder=$root/share/vidclass
doc_folder=$root/share/doc/vidclass
plugin=$root/lib/vidclass/libvidclass_mpi.so

if $uninstall; then
    rm -f "$root/bin/vidclass" "$bash_file" "$zsh_file" "$fish_file" "$man_folder"/vidclass.1 "$man_folder"/vidclass-*.1 "$plugin"
    rm -rf "$data_folder" "$doc_folder"
    # Only folders that are empty now.
    for folder in bin share/bash-completion/completions share/bash-completion $zsh_folder share/zsh \
        share/fish/vendor_completions.d share/fish share/man/man1 share/man share/doc share lib/vidclass lib; do
        rmdir "$root/$folder" 2>/dev/null || true
    done
    echo "removed vidclass from $prefix"
    exit 0
fi

scripts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=Scripts/put.sh
source "$scripts/put.sh"
if [ -z "$binary" ]; then
    cd "$scripts/.."
    VIDCLASS_COMMIT=$("$scripts/commit.sh")
    export VIDCLASS_COMMIT
    swift build -c release --product vidclass
    binary=$(swift build -c release --show-bin-path)/vidclass
fi
[ -x "$binary" ] || { echo "install.sh: $binary is not a program" >&2; exit 66; }
case "$binary" in /*) ;; *) binary=$PWD/$binary ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The value of --set follows its "=" without a space. The shell reads the file, nobody runs it.
"$binary" --generate-completion-script bash |
    sed "1{/^#!/d}; s/^ *'--set')\$/&\\n        compopt -o nospace +o filenames/" >"$work/vidclass"
"$binary" --generate-completion-script zsh |
    sed 's/{__vidclass_complete "${___set\[@\]}"}/{compadd -S "" -a ___set}/' >"$work/_vidclass"
"$binary" --generate-completion-script fish >"$work/vidclass.fish"
"$binary" generate-manual "$work/man1"
if $mpi; then "$scripts/mpi_plugin.sh" --output "$work/libvidclass_mpi.so"; fi

if ! mkdir -p "$root/bin" "${bash_file%/*}" "${zsh_file%/*}" "${fish_file%/*}" "$man_folder" "$data_folder" "$doc_folder" ||
    ! [ -w "$root/bin" ]; then
    echo "install.sh: cannot write to $root; use sudo, or a prefix of your own such as ~/.local" >&2
    exit 74
fi
put 755 "$binary" "$root/bin/vidclass"
put 644 "$work/vidclass" "$bash_file"
put 644 "$work/_vidclass" "$zsh_file"
put 644 "$work/vidclass.fish" "$fish_file"
for page in "$man_folder"/vidclass.1 "$man_folder"/vidclass-*.1; do
    [ -e "$work/man1/${page##*/}" ] || rm -f "$page"
done
for page in "$work"/man1/*.1; do put 644 "$page" "$man_folder/${page##*/}"; done
for file in "$scripts"/../Configs/*.json; do put 644 "$file" "$data_folder/${file##*/}"; done
for file in "$scripts/../README.md" "$scripts/../CHANGELOG.md" "$scripts/package/copyright"; do put 644 "$file" "$doc_folder/${file##*/}"; done
if $mpi; then
    mkdir -p "${plugin%/*}"
    put 755 "$work/libvidclass_mpi.so" "$plugin"
fi
echo "installed vidclass in $prefix"
case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *) [ -n "${DESTDIR:-}" ] || echo "$prefix/bin is not on the PATH yet: add it, as in  export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
