# Functions of the containers' start scripts. They need bash and coreutils, and use curl if the image has it.
#
# If OSMT's start fails after it has created its Elasticsearch client, it prints "Application run failed" and never exits, because the
# client's threads are not daemons. So the scripts wait for the services that OSMT needs before they start Java.

wait_limit=${OSMT_WAIT_SECONDS:-300}

say() { echo "osmt: $*"; }

# Prints why a TCP connection fails, or nothing.
tcp_fault() { # tcp_fault HOST PORT
    local said
    # shellcheck disable=SC2016 # the inner shell expands it
    if ! said=$(timeout 5 /bin/bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1); then
        case $said in
            *refused*) echo "$1:$2 refuses the connection" ;;
            *"not known"* | *resolution* | *"No address"*) echo "the name $1 cannot be resolved" ;;
            *) echo "$1:$2 does not answer (security groups, routes?)" ;;
        esac
    fi
}

# Prints the response to an HTTP request without TLS, or nothing.
http_answer() { # http_answer METHOD HOST PORT PATH [HEADER]
    (
        exec 3<>"/dev/tcp/$2/$3" || exit 0
        printf '%s %s HTTP/1.0\r\nHost: %s\r\n%s\r\n' "$1" "$4" "$2:$3" "${5:+$5$'\r\n'}" >&3
        timeout 30 cat <&3
    ) 2>/dev/null || true
}

# Prints the status code of a response: 200 for "HTTP/1.1 200 OK".
status_of() { # status_of ANSWER
    local status
    IFS=' ' read -r _ status _ <<<"$1"
    status=${status%$'\r'}
    echo "${status:-nothing}"
}

# Sends a request to Elasticsearch. The password is never on a command line, because only functions and shell builtins get it.
elasticsearch() { # elasticsearch METHOD PATH
    local place=${ELASTICSEARCH_URI#http://} header=""
    if [ -n "${ES_PASSWORD:-}" ]; then
        header="Authorization: Basic $(printf '%s:%s' "${ES_USERNAME:-elastic}" "$ES_PASSWORD" | base64 --wrap=0)"
    fi
    http_answer "$1" "${place%:*}" "${place##*:}" "$2" "$header"
}

elasticsearch_fault() {
    local place=${ELASTICSEARCH_URI#http://} fault status
    fault=$(tcp_fault "${place%:*}" "${place##*:}")
    if [ -z "$fault" ]; then
        status=$(status_of "$(elasticsearch GET /)")
        case $status in
            200) ;;
            401) fault="it rejects the password in osmt/<env>/elasticsearch" ;;
            *) fault="it returns $status instead of 200" ;;
        esac
    fi
    echo "$fault"
}

indices="richskill_v1 collection_v1 jobcode_v1 keyword"

# Prints `ok`, or what is wrong with the search indices. If a document is saved while its index is missing, Elasticsearch creates the
# index with dynamic mappings; searches then return 500 while /health returns 200. The mappings of OSMT 3.0.0 and 4.0.10 contain
# search_as_you_type in all four indices, and nested in the index of skills; dynamic mappings contain neither.
search_state() {
    local index answer missing="" guessed=""
    for index in $indices; do
        answer=$(elasticsearch GET "/$index/_mapping")
        case $(status_of "$answer") in
            200)
                if [[ $answer != *'"search_as_you_type"'* ]]; then
                    guessed+=" $index"
                elif [ "$index" = richskill_v1 ] && [[ $answer != *'"nested"'* ]]; then
                    guessed+=" $index"
                fi
                ;;
            404) missing+=" $index" ;;
            *)
                echo "not known: Elasticsearch returns $(status_of "$answer") for /$index/_mapping"
                return
                ;;
        esac
    done
    if [ -n "$missing$guessed" ]; then
        echo "not ok:${missing:+ missing$missing}${missing:+${guessed:+;}}${guessed:+ guessed mappings$guessed}"
    else
        echo ok
    fi
}

# OSMT reads the provider's configuration at every start.
issuer_fault() {
    local url=${OAUTH_ISSUER%/}/.well-known/openid-configuration place status
    place=${OAUTH_ISSUER#https://}
    place=${place%%/*}
    case $place in *:*) ;; *) place=$place:443 ;; esac
    if command -v curl >/dev/null; then
        # This only checks whether it answers. Java verifies the certificate, with its own list of trusted certificates.
        if ! status=$(curl --insecure --silent --output /dev/null --max-time 10 --write-out '%{http_code}' "$url"); then
            tcp_fault "${place%:*}" "${place##*:}" | grep . || echo "$url does not answer"
        elif [ "$status" != 200 ]; then
            echo "$url returns $status instead of 200: check app.oauth.issuer"
        fi
    else
        tcp_fault "${place%:*}" "${place##*:}"
    fi
}

# Prints a line for each service that does not answer.
faults() { # faults SERVICE…
    local service fault
    for service in "$@"; do
        case $service in
            database) fault=$(tcp_fault "$(of_uri host "${DB_URI##*@}")" "$(of_uri port "${DB_URI##*@}")") ;;
            redis) fault=$(tcp_fault "$(of_uri host "$REDIS_URI")" "$(of_uri port "$REDIS_URI")") ;;
            elasticsearch) fault=$(elasticsearch_fault) ;;
            issuer) fault=$(issuer_fault) ;;
        esac
        if [ -n "$fault" ]; then echo "$service: $fault"; fi
    done
}

of_uri() { # of_uri host|port HOST:PORT
    if [ "$1" = host ]; then echo "${2%:*}"; else echo "${2##*:}"; fi
}

# Waits until all services answer. After the time limit it prints which do not, and exits.
wait_for() { # wait_for SERVICE…
    local open last=""
    while open=$(faults "$@") && [ -n "$open" ]; do
        if [ $SECONDS -ge "$wait_limit" ]; then
            say "not started: no answer after $wait_limit seconds" >&2
            printf 'osmt: %s\n' "${open//$'\n'/$'\n'osmt: }" >&2
            exit 69 # EX_UNAVAILABLE of sysexits.h
        fi
        if [ "$open" != "$last" ]; then say "waiting for ${open//$'\n'/; }"; fi
        last=$open
        sleep 1
    done
}

# The jar is osmt.jar in OSMT's images up to 3.x, and app.jar in those of 4.x.
find_jar() {
    local jar
    for jar in /opt/osmt/bin/osmt.jar /opt/osmt/bin/app.jar; do
        if [ -f "$jar" ]; then
            echo "$jar"
            return
        fi
    done
    say "the image contains neither /opt/osmt/bin/osmt.jar nor /opt/osmt/bin/app.jar" >&2
    exit 78 # EX_CONFIG
}
