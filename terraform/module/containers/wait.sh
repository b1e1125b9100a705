# Functions of the containers' start scripts. Needs bash and coreutils; curl is used where the image has it.
#
# A Java whose start fails after its Elasticsearch client was made prints "Application run failed" and never ends (the
# client's threads are not daemons). So what OSMT asks for at start must answer before Java is started.

wait_limit=${OSMT_WAIT_SECONDS:-300}

say() { echo "osmt: $*"; }

# What is wrong with a TCP connection; nothing if it can be opened.
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

# The answer to an HTTP request without TLS, status line to body; nothing without an answer.
http_answer() { # http_answer METHOD HOST PORT PATH [HEADER]
    (
        exec 3<>"/dev/tcp/$2/$3" || exit 0
        printf '%s %s HTTP/1.0\r\nHost: %s\r\n%s\r\n' "$1" "$4" "$2:$3" "${5:+$5$'\r\n'}" >&3
        timeout 30 cat <&3
    ) 2>/dev/null || true
}

# 200 of HTTP/1.1 200 OK.
status_of() { # status_of ANSWER
    local status
    IFS=' ' read -r _ status _ <<<"$1"
    status=${status%$'\r'}
    echo "${status:-nothing}"
}

# Asks Elasticsearch. The password is never on a command line: these are functions and built-in commands of the shell.
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
            401) fault="it refuses the password of osmt/<env>/elasticsearch" ;;
            *) fault="it answers $status instead of 200" ;;
        esac
    fi
    echo "$fault"
}

indices="richskill_v1 collection_v1 jobcode_v1 keyword"

# How the search is: `ok`, or what is wrong. A document that is saved while its index is missing makes the index with mappings
# that Elasticsearch guesses; searches then answer 500 while /health is 200. The mappings of OSMT 3.0.0 and 4.0.10 hold
# search_as_you_type in all four indices, and nested in that of the skills; guessed ones hold neither.
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
                echo "not known: Elasticsearch answers $(status_of "$answer") to /$index/_mapping"
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

# OSMT asks the provider for its configuration at every start.
issuer_fault() {
    local url=${OAUTH_ISSUER%/}/.well-known/openid-configuration place status
    place=${OAUTH_ISSUER#https://}
    place=${place%%/*}
    case $place in *:*) ;; *) place=$place:443 ;; esac
    if command -v curl >/dev/null; then
        # Only whether it answers is asked here. Java verifies the certificate, with the certificates that Java trusts.
        if ! status=$(curl --insecure --silent --output /dev/null --max-time 10 --write-out '%{http_code}' "$url"); then
            tcp_fault "${place%:*}" "${place##*:}" | grep . || echo "$url does not answer"
        elif [ "$status" != 200 ]; then
            echo "$url answers $status instead of 200: check app.oauth.issuer"
        fi
    else
        tcp_fault "${place%:*}" "${place##*:}"
    fi
}

# One line for each of the named services that does not answer.
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

# Waits until all answer; after the limit it says which do not, and ends the container.
wait_for() { # wait_for SERVICE…
    local open last=""
    while open=$(faults "$@") && [ -n "$open" ]; do
        if [ $SECONDS -ge "$wait_limit" ]; then
            say "not started: after $wait_limit seconds there is still no answer" >&2
            printf 'osmt: %s\n' "${open//$'\n'/$'\n'osmt: }" >&2
            exit 69 # EX_UNAVAILABLE of sysexits.h
        fi
        if [ "$open" != "$last" ]; then say "waiting for ${open//$'\n'/; }"; fi
        last=$open
        sleep 1
    done
}

# The jar is called osmt.jar in OSMT's images up to 3.x, app.jar in those of 4.x.
find_jar() {
    local jar
    for jar in /opt/osmt/bin/osmt.jar /opt/osmt/bin/app.jar; do
        if [ -f "$jar" ]; then
            echo "$jar"
            return
        fi
    done
    say "the image holds neither /opt/osmt/bin/osmt.jar nor /opt/osmt/bin/app.jar" >&2
    exit 78 # EX_CONFIG
}
