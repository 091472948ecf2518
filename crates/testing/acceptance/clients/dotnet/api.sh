# An API to show tokens to: its program is given as arguments; it runs beside the script that reads this, and is stopped at the
# end of it. What is shown is printed under a word for it, with the answer as it came.
: >"$SCRATCH/address"
"$@" >"$SCRATCH/address" 2>"$SCRATCH/errors" &
api=$!
trap 'kill "$api" 2>/dev/null && wait "$api" || true' EXIT
address=
for _ in $(seq 600); do
    read -r address <"$SCRATCH/address" && break
    kill -0 "$api" 2>/dev/null || { cat "$SCRATCH/errors" >&2; exit 1; }
    sleep 0.1
done

# show WORD PATH TOKEN
show() {
    printf '= %s\n' "$1"
    curl --silent --show-error --include ${3:+--header "Authorization: Bearer $3"} "$address/$2"
    printf '\n'
}
forged() { "$MOCKTENANT" token --resource api://contoso-api "$@"; }
