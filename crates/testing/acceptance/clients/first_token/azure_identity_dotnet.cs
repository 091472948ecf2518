#:package Azure.Identity@1.21.0
using System.Text.Json;
using Azure.Core;
using Azure.Identity;

var s = JsonDocument.Parse(File.ReadAllText("settings.json")).RootElement;
var entra = s.GetProperty("entra");

var credential = new ClientSecretCredential(
    entra.GetProperty("tenant_id").GetString(),
    entra.GetProperty("client_id").GetString(),
    entra.GetProperty("client_secret").GetString(),
    new ClientSecretCredentialOptions
    {
        AuthorityHost = new Uri(entra.GetProperty("base_url").GetString()!),
        DisableInstanceDiscovery = true,
    });
var scope = s.GetProperty("dataverse").GetProperty("resource").GetString() + "/.default";
var token = await credential.GetTokenAsync(new TokenRequestContext([scope]), default);
Console.WriteLine(token.Token);
