$ErrorActionPreference = 'Stop'
$aos = if ($env:AOS) { $env:AOS } else { 'https://usnconeboxax1aos.cloud.onebox.dynamics.com' }
$dataverse = 'https://contoso.crm4.dynamics.com'

function Get-Header($resource) {
    $body = @{
        grant_type = 'client_credentials'; client_id = $env:AZURE_CLIENT_ID
        client_secret = $env:AZURE_CLIENT_SECRET; scope = "$resource/.default"
    }
    $url = "https://login.microsoftonline.com/$env:AZURE_TENANT_ID/oauth2/v2.0/token"
    @{ Authorization = 'Bearer ' + (Invoke-RestMethod -Method Post -Uri $url -Body $body).access_token }
}

$customer = @{
    dataAreaId = 'usmf'; CustomerAccount = 'DE-PS'; OrganizationName = 'Forest Wholesales'
    PartyType = 'Organization'; CustomerGroupId = '30'; SalesCurrencyCode = 'EUR'
} | ConvertTo-Json
$null = Invoke-RestMethod -Method Post -Uri "$aos/data/CustomersV3" -Headers (Get-Header $aos) -Body $customer -ContentType 'application/json'
$query = "`$filter=accountnumber eq 'DE-PS'&`$select=accountid"
$header = Get-Header $dataverse
$id = (Invoke-RestMethod -Uri "$dataverse/api/data/v9.2/accounts?$query" -Headers $header).value[0].accountid
(Invoke-RestMethod -Uri "$dataverse/api/data/v9.2/accounts($id)?`$select=name" -Headers $header).name
