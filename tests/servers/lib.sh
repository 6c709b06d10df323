# Shared by up and down; to be sourced by bash.
# shellcheck shell=bash
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

servers_dir="$repo_root/tests/servers"
# One folder for each running set of servers: `env` (what to export), `state` (name of its data folder), `owner` (who started it).
instances_dir="$target_dir/test-servers"
PATH="$PATH:/usr/sbin:/sbin"

# When a process began, in clock ticks since boot: with its id a name that is never given twice.
process_start() {
    local stat
    stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 1
    # The name in brackets may hold spaces; after it, the start is the 20th field.
    stat="${stat##*) }"
    # shellcheck disable=SC2086
    set -- $stat
    printf '%s' "${20}"
}

# Processes that work inside the data folder, whoever their parent is by now: servers killed hard leave children behind.
# All three servers, and every child of theirs, have their current folder there.
processes_of() { # processes_of STATE
    find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' \( -lname "$1" -o -lname "$1/*" \) -printf '%h\n' 2>/dev/null | sed 's|^/proc/||'
}

# A number read from a file may belong to somebody else by now.
works_in() { # works_in STATE PID
    case "$(readlink "/proc/${2:-none}/cwd" 2>/dev/null)" in
        "$1" | "$1"/*) ;;
        *) return 1 ;;
    esac
}

wait_until() { # wait_until SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}
nobody_left() { [ -z "$(processes_of "$1")" ]; }

# Stops one set of servers and removes its data. Twice is harmless.
stop_instance() { # stop_instance FOLDER
    local folder=$1 state pid
    state="$(cat "$folder/state" 2>/dev/null || true)"
    case $state in
        */switchboard-servers.??????) ;;
        *)
            rm -rf "$folder"
            return 0
            ;;
    esac
    if [ -d "$state" ]; then
        # The masters first: they end their children. PostgreSQL: QUIT is "at once", its data goes anyway.
        for pid in $(head -qn 1 "$state/dovecot/master.pid" "$state/postfix/queue/pid/master.pid" 2>/dev/null | tr -d ' '); do
            ! works_in "$state" "$pid" || kill -TERM "$pid" 2>/dev/null || true
        done
        pid="$(head -n 1 "$state/postgres/data/postmaster.pid" 2>/dev/null || true)"
        ! works_in "$state" "$pid" || kill -QUIT "$pid" 2>/dev/null || true
        if ! wait_until 5 nobody_left "$state"; then
            for pid in $(processes_of "$state"); do kill -KILL "$pid" 2>/dev/null || true; done
            wait_until 5 nobody_left "$state" || say "some processes of $state do not end"
        fi
        rm -rf "$state"
    fi
    rm -rf "$folder"
}

# Ends the sets whose owner was killed before it could do so itself.
stop_orphans() {
    local folder owner
    for folder in "$instances_dir"/*/; do
        [ -f "$folder/owner" ] || continue
        read -r owner started <"$folder/owner" || continue
        [ "$(process_start "$owner" || true)" = "$started" ] || stop_instance "${folder%/}"
    done
}
