$ErrorActionPreference = 'Stop'
$s = Get-Content settings.json -Raw | ConvertFrom-Json

$answer = Invoke-RestMethod -Method Post -Uri "$($s.entra.authority)/oauth2/v2.0/token" -Body @{
    grant_type    = 'client_credentials'
    client_id     = $s.entra.client_id
    client_secret = $s.entra.client_secret
    scope         = "$($s.dataverse.resource)/.default"
}
$answer.access_token
