# Shared by the scripts of this folder; to be sourced by bash.
# shellcheck shell=bash

# The folder of the repository, and the folder cargo builds into (absolute).
repo_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
target_dir="${CARGO_TARGET_DIR:-$repo_root/target}"
case $target_dir in
    /*) ;;
    *) target_dir="$PWD/$target_dir" ;;
esac
# Stamps of what has been prepared, so that a second run has nothing to do.
cache_dir="$repo_root/.cache"

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

# Settings of npm that keep an unattended run quiet; whatever the caller set wins, and no registry is named here.
export npm_config_audit="${npm_config_audit:-${NPM_CONFIG_AUDIT:-false}}"
export npm_config_fund="${npm_config_fund:-${NPM_CONFIG_FUND:-false}}"
export npm_config_update_notifier="${npm_config_update_notifier:-${NPM_CONFIG_UPDATE_NOTIFIER:-false}}"

# One hash over the contents of files whose NUL-separated names come on standard input.
# Contents, not times: a fresh clone gives every file a new time.
hash_files() {
    sort -z | xargs -0 -r sha256sum | sha256sum | cut -d' ' -f1
}
