# Starts the app. Java replaces this shell, so that it receives the stop signal and shuts down gracefully. Its settings are in
# the environment, so that no secret is on a command line.
start_limit=${OSMT_START_SECONDS:-300}
port=${OSMT_PORT:-8080}
jar=$(find_jar)
wait_for database redis elasticsearch issuer

# Logs the health of the app and the state of its search: at each change, every 15 minutes, and every minute while /health is not
# 200. The alarm app-health counts these lines; `osmt-release status` reads the newest line of each kind.
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

# Stops a Java process that does not listen in time: it has failed but does not exit.
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
    say "stopped: the app does not listen on port $port after $start_limit seconds; the lines above contain the reason" >&2
    kill -TERM "$1" 2>/dev/null || return 0
    sleep "${OSMT_END_SECONDS:-20}"
    kill -KILL "$1" 2>/dev/null || true
}
(watch_start $$ &) # in a subshell, so that the container's init process becomes its parent

exec /bin/java -jar "$jar"
