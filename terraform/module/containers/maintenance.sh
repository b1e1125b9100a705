# Runs the steps that are given as arguments, each a Java of its own that ends, and ends with the first status that is not 0.
#   migrate   the database's tables
#   import    the two public lists of job codes
#   reindex   deletes the search indices and builds them again from the database
# Flyway is on in every step, so the first one migrates, whichever it is.
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
        # Spring Boot's own words for a start that failed. Such a Java may go on for ever (see wait.sh).
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
        say "the step $step failed (status $status)${failed:+: the application did not start, the lines above say why}" >&2
        exit $status
    fi
}

# Without their indices searches answer errors until the step has filled them again; nothing else of the app needs them.
delete_indices() {
    local index status
    # shellcheck disable=SC2154 # wait.sh has the names
    for index in $indices; do
        status=$(status_of "$(elasticsearch DELETE "/$index")")
        case $status in
            200) say "deleted the index $index" ;;
            404) ;;
            *)
                say "could not delete the index $index: Elasticsearch answers $status" >&2
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
                say "not done: the reindex job of OSMT 2.x leaves the search unusable. Instead, delete the indices $indices, restart the app, and call POST /api/es-admin/reindex as an administrator" >&2
                exit 64 # EX_USAGE
            fi
            say "searches answer errors until the indices are filled again"
            delete_indices
            osmt reindex,review
            ;;
        *)
            say "unknown step $step: migrate, import and reindex are known, and each migrates first" >&2
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
