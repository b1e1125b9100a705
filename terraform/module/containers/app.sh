# Starts the app. Java replaces this shell, so that it gets the stop signal itself and shuts down in order; everything it needs
# is in its environment, so that no secret is on a command line.
start_limit=${OSMT_START_SECONDS:-300}
port=${OSMT_PORT:-8080}
jar=$(find_jar)
wait_for database redis elasticsearch issuer

# Writes to the log how the app and its search are, from inside: at each change and every 15 minutes, and every minute that
# /health is not 200. The alarm app-health counts those lines; `osmt-release status` reads the newest of each kind.
watch_health() { # watch_health PID
    local health search said_health="" said_search="" round=0
    while kill -0 "$1" 2>/dev/null; do
        health=$(status_of "$(http_answer GET 127.0.0.1 "$port" /health)")
        case $health in
            200) health=ok ;;
            nothing) health="not ok (no answer)" ;;
            *) health="not ok ($health)" ;;
        esac
        search=$(search_state)
        if [ $((round % 15)) = 0 ]; then said_health="" said_search=""; fi
        if [ "$health" != "$said_health" ] || [ "$health" != ok ]; then say "health: $health"; fi
        if [ "$search" != "$said_search" ]; then say "search: $search"; fi
        said_health=$health said_search=$search round=$((round + 1))
        sleep "${OSMT_HEALTH_SECONDS:-60}"
    done
}

# Ends a Java that does not listen in time: it has failed and will not end by itself.
watch_start() { # watch_start PID
    local until=$((SECONDS + start_limit))
    while [ $SECONDS -lt $until ]; do
        sleep 1
        kill -0 "$1" 2>/dev/null || return 0
        if [ -z "$(tcp_fault 127.0.0.1 "$port")" ]; then
            watch_health "$1"
            return 0
        fi
    done
    say "stopped: it does not listen on port $port after $start_limit seconds; the lines above say why" >&2
    kill -TERM "$1" 2>/dev/null || return 0
    sleep "${OSMT_END_SECONDS:-20}"
    kill -KILL "$1" 2>/dev/null || true
}
(watch_start $$ &) # in a child of its own, which the container's init process collects

exec /bin/java -jar "$jar"
