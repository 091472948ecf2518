# Shows an API tokens of the key it knows, and of one that is published while it runs; the first of those may come too early.
set -eu
. "${0%/*}/api.sh"

show 'before' tasks "$(forged)"
"$MOCKTENANT" set /tenants/c0117050-0000-4000-8000-000000000001/signing_keys \
    '["shipped:second-client", "shipped:token-signing"]' >"$SCRATCH/set"
show 'the first after' tasks "$(forged)"
for _ in $(seq 50); do
    show 'after' tasks "$(forged)" >"$SCRATCH/after"
    if grep -q '^HTTP/1.1 200' "$SCRATCH/after"; then break; fi
    sleep 0.1
done
cat "$SCRATCH/after"
printf '= journal\n'
"$MOCKTENANT" journal --json
