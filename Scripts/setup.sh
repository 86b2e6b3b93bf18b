#!/usr/bin/env bash
# Installs the packages that vidclass is built with and runs with, where they are missing. Sourced by quickstart.sh and test.sh; may be run by itself.
#
#   Debian and Ubuntu: OpenBLAS, LAPACKE, HDF5, zlib, cairo and a font for it, libcurl, OpenSSL, libseccomp, FFmpeg's libraries, gfortran, the program
#   ffmpeg (for animations and for the tests) and Open MPI (for several machines and for the tests), by apt-get (with sudo where you are not root).
#   Swift 6.2 or later must be there: https://www.swift.org/install

need_swift() {
    if ! command -v swift >/dev/null 2>&1; then
        echo "setup: swift was not found. Install Swift 6.2 or later from https://www.swift.org/install and run this again." >&2
        return 1
    fi
}

missing_packages() {
    local package
    for package in libopenblas-dev liblapacke-dev libhdf5-dev zlib1g-dev libcairo2-dev libcurl4-openssl-dev libssl-dev libseccomp-dev \
        libavformat-dev libavcodec-dev libswscale-dev libswresample-dev libavutil-dev fonts-dejavu-core gfortran pkg-config ffmpeg \
        libopenmpi-dev openmpi-bin; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
    done
}

install_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "setup: not a Debian-like system; make sure that OpenBLAS, LAPACKE, HDF5, zlib, cairo, libcurl, OpenSSL, libseccomp and FFmpeg's libraries (with headers), gfortran, for animations and tests the program ffmpeg, and for several machines and tests an MPI, are installed." >&2
        return 0
    fi
    local packages sudo=""
    packages=$(missing_packages)
    [ -z "$packages" ] && return 0
    if [ "$(id -u)" -ne 0 ]; then sudo="sudo"; fi
    echo "setup: installing" $packages
    # shellcheck disable=SC2086 (a list of names)
    $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
}

need_swift && install_packages
