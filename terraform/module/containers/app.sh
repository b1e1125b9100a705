# Starts the app. Java replaces this shell, so that it gets the stop signal itself and shuts down in order; everything it needs
# is in its environment, so that no secret is on a command line.
start_limit=${OSMT_START_SECONDS:-300}
jar=$(find_jar)
wait_for database redis elasticsearch issuer

# Ends a Java that does not listen in time: it has failed and will not end by itself.
watch_start() { # watch_start PID
    local until=$((SECONDS + start_limit))
    while [ $SECONDS -lt $until ]; do
        sleep 1
        kill -0 "$1" 2>/dev/null || return 0
        if [ -z "$(tcp_fault 127.0.0.1 "${OSMT_PORT:-8080}")" ]; then return 0; fi
    done
    say "stopped: it does not listen on port ${OSMT_PORT:-8080} after $start_limit seconds; the lines above say why" >&2
    kill -TERM "$1" 2>/dev/null || return 0
    sleep "${OSMT_END_SECONDS:-20}"
    kill -KILL "$1" 2>/dev/null || true
}
(watch_start $$ &) # in a child of its own, which the container's init process collects

exec /bin/java -jar "$jar"
