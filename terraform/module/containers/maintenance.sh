# Runs the steps in its arguments, each in a separate Java process. Exits with the first status that is not 0.
#   migrate   migrates the database
#   import    imports the two public lists of job codes
#   reindex   deletes the search indices and builds them from the database
# Flyway is on in every step, so the first step migrates in any case.
jar=$(find_jar)
java=""

trap 'if [ -n "$java" ]; then kill -TERM "$java" 2>/dev/null; fi' TERM INT

osmt() { # osmt PROFILES [ARGUMENT…]
    local profiles=$1 line failed="" status=0
    shift
    exec {output}< <(SPRING_PROFILES_ACTIVE=$profiles exec /bin/java -jar "$jar" "$@" 2>&1)
    java=$!
    while IFS= read -r line <&"$output"; do
        printf '%s\n' "$line"
        # Spring Boot's message for a failed start. Such a process may never exit (see wait.sh).
        if [ -z "$failed" ] && [[ $line == *"Application run failed"* ]]; then
            failed=yes
            (sleep "${OSMT_END_SECONDS:-20}" && kill -KILL "$java" 2>/dev/null &) >/dev/null
        fi
    done
    exec {output}<&-
    wait "$java" || status=$?
    java=""
    if [ $status = 0 ] && [ -n "$failed" ]; then status=1; fi
    if [ $status != 0 ]; then
        say "the step $step failed (status $status)${failed:+: the application did not start; the lines above contain the reason}" >&2
        exit $status
    fi
}

# Searches fail until the step has built the indices again. The rest of the app does not use the indices.
delete_indices() {
    local index status
    # shellcheck disable=SC2154 # wait.sh defines it
    for index in $indices; do
        status=$(status_of "$(elasticsearch DELETE "/$index")")
        case $status in
            200) say "deleted the index $index" ;;
            404) ;;
            *)
                say "could not delete the index $index: Elasticsearch returned $status" >&2
                exit 69
                ;;
        esac
    done
}

run_step() {
    case $step in
        migrate)
            # shellcheck disable=SC2086 # each word is an argument
            osmt "$OSMT_MIGRATE_PROFILES" ${OSMT_MIGRATE_ARGUMENTS:-}
            ;;
        import)
            for list in bls:BLS-Import.csv onet:oNet-Import.csv; do
                if [ -f "/opt/osmt/import/${list#*:}" ]; then
                    osmt review,import "--csv=/opt/osmt/import/${list#*:}" "--import-type=${list%%:*}"
                else
                    say "skipped: the image has no /opt/osmt/import/${list#*:}"
                fi
            done
            ;;
        reindex)
            if [ "${OSMT_REBUILDS_SEARCH:-true}" != true ]; then
                say "not run: after the reindex job of OSMT 2.x search does not work. Instead, delete the indices $indices, restart the app, and call POST /api/es-admin/reindex as an administrator" >&2
                exit 64 # EX_USAGE
            fi
            say "searches fail until the indices are built again"
            delete_indices
            osmt reindex,review
            ;;
        *)
            say "unknown step $step: the steps are migrate, import and reindex, and each migrates first" >&2
            exit 64 # EX_USAGE
            ;;
    esac
}

for step in "$@"; do
    case $step in migrate | import | reindex) ;; *) run_step ;; esac
done
wait_for database redis elasticsearch
for step in "$@"; do
    echo "maintenance: $step"
    run_step
done
say "search: $(search_state)"
echo "maintenance: done"
