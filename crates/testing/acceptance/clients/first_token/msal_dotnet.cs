#:package Microsoft.Identity.Client@4.92.0
using System.Text.Json;
using Microsoft.Identity.Client;

var s = JsonDocument.Parse(File.ReadAllText("settings.json")).RootElement;
var entra = s.GetProperty("entra");

var app = ConfidentialClientApplicationBuilder
    .Create(entra.GetProperty("client_id").GetString())
    .WithClientSecret(entra.GetProperty("client_secret").GetString())
    .WithAuthority(entra.GetProperty("authority").GetString())
    .WithInstanceDiscovery(false)
    .Build();
var scope = s.GetProperty("dataverse").GetProperty("resource").GetString() + "/.default";
var result = await app.AcquireTokenForClient([scope]).ExecuteAsync();
Console.WriteLine(result.AccessToken);
