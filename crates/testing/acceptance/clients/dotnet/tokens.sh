# Shows an API every token that there is a word for.
set -eu
. "${0%/*}/api.sh"

"$MOCKTENANT" set --new /tenants/c0117050-0000-4000-8000-000000000002 "@$SECOND_TENANT" >"$SCRATCH/set"
issued=$(curl --silent --show-error \
    https://login.microsoftonline.com/fabrikam.onmicrosoft.com/oauth2/v2.0/token \
    --data grant_type=client_credentials --data client_id="$AZURE_CLIENT_ID" \
    --data client_secret=fabrikam-app-secret-not-secret --data scope=api://contoso-api/.default |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')

show good tasks "$(forged)"
show 'role not granted' all "$(forged)"
show 'no role' tasks "$(forged --roles=)"
show 'no token' tasks ''
show garbage tasks not.a.token
show 'version 1' tasks "$(forged --token-version 1)"
show 'next key' tasks "$(forged --key "$NEXT_KEY")"
show 'of another tenant' tasks "$issued"
for defect in $DEFECTS; do
    show "$defect" tasks "$(forged --defect "$defect")"
done
printf '= journal\n'
"$MOCKTENANT" journal --json
