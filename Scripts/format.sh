#!/usr/bin/env bash
# Formats all Swift sources; with --check only tells whether anything would change (CI does that).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = "--check" ]; then
    swift format lint --strict --recursive --parallel Sources Tests Examples Package.swift
else
    swift format format --in-place --recursive --parallel Sources Tests Examples Package.swift
fi
