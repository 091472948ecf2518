# Microsoft's basic operations of the Web API as its samples in PowerShell do them, with rows of our own: a line for each value that
# is read, as samples.cs has them.
$ErrorActionPreference = 'Stop'
$root = 'https://contoso.crm4.dynamics.com/api/data/v9.2/'
$formatted = '@OData.Community.Display.V1.FormattedValue'
$token = Invoke-RestMethod -Method Post -Uri "https://login.microsoftonline.com/$env:AZURE_TENANT_ID/oauth2/v2.0/token" -Body @{
    grant_type = 'client_credentials'; client_id = $env:AZURE_CLIENT_ID; client_secret = $env:AZURE_CLIENT_SECRET
    scope = 'https://contoso.crm4.dynamics.com/.default'
}
$always = @{
    Authorization = "Bearer $($token.access_token)"; Accept = 'application/json'
    'OData-MaxVersion' = '4.0'; 'OData-Version' = '4.0'; 'If-None-Match' = 'null'
}

function Say($name, $value) { "${name}: $value" }
function Send($method, $path, $body, $headers = @{}, $status = 204) {
    $all = $always.Clone()
    foreach ($name in $headers.Keys) { $all[$name] = $headers[$name] }
    $more = @{}
    if ($null -ne $body) { $more = @{ Body = (ConvertTo-Json $body -Depth 9); ContentType = 'application/json' } }
    $answer = Invoke-WebRequest -Method $method -Uri "$root$path" -Headers $all -SkipHttpErrorCheck -SkipHeaderValidation @more
    if ($answer.StatusCode -ne $status) { throw "$method ${path}: $($answer.StatusCode) $($answer.Content)" }
    $answer
}
function Read-Row($path, $headers = @{}) { (Send Get $path $null $headers 200).Content | ConvertFrom-Json -DateKind String }
function New-Row($set, $body) { (Send Post $set $body).Headers['OData-EntityId'][0].Substring($root.Length) }
function Edit-Row($row, $body) { $null = Send Patch $row $body @{ 'If-Match' = '*' } }
$annotated = @{ Prefer = 'odata.include-annotations="*"' }

# one row: made, changed, read, and a column of it alone
$contact = New-Row contacts @{ firstname = 'Ragna'; lastname = 'Holm' }
Edit-Row $contact @{ annualincome = 80000; jobtitle = 'Junior Developer' }
$text = (Send Get "$contact`?`$select=fullname,annualincome,jobtitle,description" $null $annotated 200).Content
$seen = $text | ConvertFrom-Json -DateKind String
Say fullname $seen.fullname
Say income ([regex]::Match($text, '"annualincome":([0-9.]+)').Groups[1].Value)
Say 'income as shown' $seen."annualincome$formatted"
Say description ($seen.description ?? 'null')
Say currency $seen."_transactioncurrencyid_value$formatted"
Say "currency's link" $seen.'_transactioncurrencyid_value@Microsoft.Dynamics.CRM.associatednavigationproperty'
Say "currency's table" $seen.'_transactioncurrencyid_value@Microsoft.Dynamics.CRM.lookuplogicalname'
Edit-Row $contact @{ annualincome = 95000; jobtitle = 'Senior Developer'; description = 'Assignment to be decided' }
$seen = Read-Row "$contact`?`$select=annualincome,jobtitle,description" $annotated
Say changed "$($seen."annualincome$formatted"), $($seen.jobtitle), $($seen.description)"
$null = Send Put "$contact/telephone1" @{ value = '555-0105' }
Say telephone (Read-Row "$contact/telephone1").value

# a row that belongs to another
$account = New-Row accounts @{ name = 'Holm Ltd'; telephone1 = '555-0160'; 'primarycontactid@odata.bind' = "/$contact" }
$seen = Read-Row "$account`?`$select=name,&`$expand=primarycontactid(`$select=fullname,jobtitle,annualincome)" $annotated
Say context $seen.'@odata.context'.Split('#')[1]
Say 'primary contact' "$($seen.primarycontactid.fullname), $($seen.primarycontactid."annualincome$formatted")"
Say 'its etag' $seen.primarycontactid.'@odata.etag'.StartsWith('W/"')

# rows that are made together
$tasks = @(@('Sign', 19), @('Ship', 20), @('Bill', 21)) | ForEach-Object {
    @{ subject = $_[0]; description = "$($_[0]), described"; scheduleddurationminutes = 60
        scheduledstart = "2023-04-$($_[1])T03:00:00+07:00"; scheduledend = "2023-04-$($_[1])T04:00:00+07:00" }
}
$second = New-Row accounts @{ name = 'Berg Inc'; primarycontactid = @{
        firstname = 'Nils'; lastname = 'Berg'; jobtitle = 'Manager'; annualincome = 110000; Contact_Tasks = $tasks } }
$other = "contacts($((Read-Row "$second`?`$select=name&`$expand=primarycontactid(`$select=contactid)").primarycontactid.contactid))"
$seen = Read-Row "$other`?`$select=fullname&`$expand=Contact_Tasks(`$select=subject,description,scheduledstart,scheduledend)" $annotated
foreach ($task in $seen.Contact_Tasks) { Say task "$($task.subject), $($task.scheduledstart), $($task."scheduledstart$formatted")" }

# joined and taken apart
$null = Send Post "$account/contact_customer_accounts/`$ref" @{ '@odata.id' = "$root$other" }
$seen = Read-Row "$account/contact_customer_accounts?`$select=fullname,jobtitle"
Say 'context of the joined' $seen.'@odata.context'.Split('#')[1]
Say joined (($seen.value | ForEach-Object { "$($_.fullname) $($_.jobtitle)" }) -join ', ')
$id = $other.Substring(9).TrimEnd(')')
$null = Send Delete "$account/contact_customer_accounts($id)/`$ref"
Say 'joined afterwards' (Read-Row "$account/contact_customer_accounts?`$select=fullname").value.Count

# a role
$me = Read-Row WhoAmI
$role = New-Row roles @{ name = 'Sample role'; 'businessunitid@odata.bind' = "/businessunits($($me.BusinessUnitId))" }
$id = $role.Substring(6).TrimEnd(')')
$mine = "systemusers($($me.UserId))/systemuserroles_association"
$null = Send Post "$mine/`$ref" @{ '@odata.id' = "$root$role" }
Say roles ((Read-Row "$mine`?`$select=name&`$filter=roleid eq $id").value.name -join ', ')
$null = Send Delete "$mine($id)/`$ref"

$rows = $contact, $account, $second, $other, $role
foreach ($row in $rows) { $null = Send Delete $row }
Say left (($rows | ForEach-Object { (Send Get $_ $null @{} 404).StatusCode }) -join ' ')
