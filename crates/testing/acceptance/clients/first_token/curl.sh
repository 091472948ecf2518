setting() { jq -r "$1" settings.json; }

curl --silent --show-error --cacert "$(setting .ca_pem)" \
    "$(setting .entra.authority)/oauth2/v2.0/token" \
    --data-urlencode grant_type=client_credentials \
    --data-urlencode client_id="$(setting .entra.client_id)" \
    --data-urlencode client_secret="$(setting .entra.client_secret)" \
    --data-urlencode scope="$(setting .dataverse.resource)/.default" |
    jq -r '.access_token // error(.error_description)'
