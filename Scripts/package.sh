#!/usr/bin/env bash
# Makes packages of vidclass: a .deb, and a .tar.gz that runs wherever it is unpacked. What they hold is what Scripts/install.sh installs.
set -euo pipefail

usage() {
    cat <<'TEXT'
Make packages of vidclass for machines that have neither Swift nor these sources.

  Scripts/package.sh                    both packages, into .build/packages
  Scripts/package.sh --deb --output .   only the package for Debian and Ubuntu

usage: Scripts/package.sh [--deb] [--tar] [--output FOLDER] [--binary FILE]

  --deb            make only vidclass_VERSION~RELEASE_ARCHITECTURE.deb
  --tar            make only vidclass-VERSION-RELEASE-MACHINE.tar.gz, which is unpacked anywhere
  --output FOLDER  where to put them; .build/packages by default
  --binary FILE    package this program instead of building one
  DEBEMAIL         (environment) the maintainer's address in the .deb, with DEBFULLNAME as the name

The program in them has the Swift runtime and OpenBLAS linked in, and is stripped. It is built in .build/package, which takes ten minutes
or more the first time. The other libraries it loads by itself: the .deb depends on their packages, and vidclass doctor names those that
are missing where the .tar.gz is unpacked. They are those of the RELEASE of Debian or Ubuntu that the packages are made on, such as debian12:
another one has other versions of FFmpeg's libraries and of HDF5, so make packages there, too. The plug-in for MPI is not in the packages, because it belongs to the MPI of a cluster:
Scripts/mpi_plugin.sh --output PREFIX/lib/vidclass/libvidclass_mpi.so builds it.

Needs binutils and, for the .deb, dpkg-dev; lintian checks the .deb where it is installed.
TEXT
}

deb=false
tar=false
output=
binary=
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help)
            usage
            exit 0
            ;;
        --deb) deb=true ;;
        --tar) tar=true ;;
        --output | --binary)
            [ $# -gt 1 ] || { echo "package.sh: $1 takes a path" >&2; exit 64; }
            case "$2" in /*) path=$2 ;; *) path=$PWD/$2 ;; esac
            if [ "$1" = --output ]; then output=$path; else binary=$path; fi
            shift
            ;;
        *)
            echo "package.sh: unknown argument $1; see --help" >&2
            exit 64
            ;;
    esac
    shift
done
if ! $deb && ! $tar; then deb=true tar=true; fi
cd "$(dirname "$0")/.."
# shellcheck source=Scripts/put.sh
source Scripts/put.sh
output=${output:-$PWD/.build/packages}
# The most bytes of the stripped program.
limit=40000000

need() {
    command -v "$1" >/dev/null 2>&1 || { echo "package.sh: $1 was not found; install it: apt-get install $2" >&2; exit 66; }
}
need strip binutils
if $deb; then need dpkg-shlibdeps dpkg-dev; fi

# OpenBLAS has kernels for 25 kinds of x86-64 processors, 25 MB of code. These are built in; another processor runs those of the one before it
# in its line, whose instructions it has. CKernelChoice asks for the ones for AVX2 and AVX-512 wherever a processor has them.
kernels="
    PRESCOTT: CORE2 PENRYN DUNNINGTON ATOM NANO OPTERON OPTERON_SSE3 BARCELONA BOBCAT
    NEHALEM:
    SANDYBRIDGE: BULLDOZER PILEDRIVER STEAMROLLER
    HASWELL: EXCAVATOR
    ZEN:
    SKYLAKEX: COOPERLAKE SAPPHIRERAPIDS"

# The linker's flags that leave the other kernels out.
kernel_flags() {
    local library kernel others other
    [ "$(uname -m)" = x86_64 ] || return 0
    library=$(gcc -print-file-name=libopenblas.a)
    # Only where it has been built for all of them.
    nm "$library" 2>/dev/null | grep ' D gotoblas_PRESCOTT$' >/dev/null || return 0
    while IFS=: read -r kernel others; do
        for other in $others; do printf '%s\n' -Xlinker "--defsym=gotoblas_$other=gotoblas_${kernel// /}"; done
    done <<<"$kernels"
}

if [ -z "$binary" ]; then
    # shellcheck source=Scripts/setup.sh
    source Scripts/setup.sh
    folder=.build/package
    if [ ! -d $folder/checkouts ] && [ -d .build/checkouts ]; then
        # The sources of the packages that the ordinary build has.
        mkdir -p $folder
        cp -a --reflink=auto .build/checkouts .build/repositories .build/workspace-state.json $folder
    fi
    VIDCLASS_COMMIT=$(Scripts/commit.sh)
    export VIDCLASS_COMMIT
    mapfile -t flags < <(kernel_flags)
    # No symbols for others to link with, no folders of this machine in which the program would look for libraries.
    flags+=(--static-swift-stdlib --disable-local-rpath -Xlinker --no-export-dynamic -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now)
    swift build -c release --product vidclass --scratch-path $folder "${flags[@]}"
    binary=$(swift build -c release --scratch-path $folder --show-bin-path)/vidclass
fi
[ -x "$binary" ] || { echo "package.sh: $binary is not a program" >&2; exit 66; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
strip --strip-all --remove-section=.comment -o "$work/vidclass" "$binary"
size=$(stat -c %s "$work/vidclass")
echo "the stripped program has $size bytes"
if [ "$size" -gt $limit ]; then
    echo "package.sh: the stripped program has $size bytes, more than $limit; does something link ICU (Foundation) or all of OpenBLAS again?" >&2
    exit 1
fi
version=$("$work/vidclass" --version | cut -d ' ' -f 1)
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "$ID${VERSION_ID:-}")
# The time of the commit, so that equal sources give equal packages.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
mkdir -p "$output"

# stage FOLDER PREFIX: installs into FOLDER.
stage() {
    DESTDIR=$1 Scripts/install.sh --binary "$work/vidclass" "$2" >/dev/null
    find "$1" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
}

make_tar() {
    local name=vidclass-$version-$release-$(uname -m)
    stage "$work/tar" "/$name"
    tar --sort=name --owner=0 --group=0 --numeric-owner -C "$work/tar" -c "$name" | gzip -9n >"$work/package"
    put 644 "$work/package" "$output/$name.tar.gz"
    echo "made $output/$name.tar.gz"
}

make_deb() {
    # A system that is upgraded to the next release takes the package that was made there.
    local architecture tree=$work/deb depends loaded full=$version~$release
    architecture=$(dpkg --print-architecture)
    stage "$tree" /usr
    local doc=$tree/usr/share/doc/vidclass
    gzip -9n "$tree"/usr/share/man/man1/*.1
    local maintainer="${DEBFULLNAME:-vidclass maintainers} <${DEBEMAIL:-maintainers@vidclass.invalid}>"
    printf 'vidclass (%s) stable; urgency=medium\n\n  * Version %s; CHANGELOG.md.gz lists the changes.\n\n -- %s  %s\n' \
        "$full" "$version" "$maintainer" "$(LC_ALL=C date -R -u -d "@$SOURCE_DATE_EPOCH")" >"$doc/changelog"
    gzip -9n "$doc/changelog" "$doc/CHANGELOG.md"
    # The libraries that are linked, and those that the program loads, as it names them itself.
    mkdir -p "$work/shlibs/debian"
    printf 'Source: vidclass\n\nPackage: vidclass\nArchitecture: any\n' >"$work/shlibs/debian/control"
    depends=$(cd "$work/shlibs" && dpkg-shlibdeps -O "$work/vidclass" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
    loaded=$("$work/vidclass" doctor --json 2>/dev/null | tr -d '\n' | grep -o '"packages": *\[[^]]*\]' | grep -o '"[a-z0-9.+-]*"' |
        sed '1d; s/"//g; s/$/, /' | tr -d '\n') || true
    [ -n "$loaded" ] || { echo "package.sh: vidclass doctor --json names no packages" >&2; exit 1; }
    depends="${loaded}$depends"
    mkdir "$tree/DEBIAN"
    (cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
    cat >"$tree/DEBIAN/control" <<CONTROL
Package: vidclass
Version: $full
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -k -s --apparent-size "$tree/usr" | cut -f 1)
Depends: $depends
Suggests: ffmpeg
Section: science
Priority: optional
Description: train, evaluate and run video classifiers on a CPU
 vidclass learns to tell videos apart from folders of examples: behaviours,
 actions, scenes. It needs no graphics card and no Python, writes a report
 that shows how good a model is, and classifies new videos.
 .
 Its model is a network such as VGG16 or EfficientNet-Lite for each frame, a
 recurrent network over the frames, and dense layers.
CONTROL
    find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
    local file=$output/vidclass_${full}_$architecture.deb
    dpkg-deb --root-owner-group -Zxz --build "$tree" "$work/package" >/dev/null
    put 644 "$work/package" "$file"
    echo "made $file"
    if command -v lintian >/dev/null 2>&1; then
        lintian --allow-root --fail-on error "$file"
    else
        echo "lintian was not found: the package is not checked"
    fi
}

if $tar; then make_tar; fi
if $deb; then make_deb; fi
