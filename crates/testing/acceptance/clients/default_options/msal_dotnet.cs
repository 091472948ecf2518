#:package Microsoft.Identity.Client@4.92.0
using System.Security.Cryptography.X509Certificates;
using Microsoft.Identity.Client;

string? Variable(string name) => Environment.GetEnvironmentVariable(name);
var builder = ConfidentialClientApplicationBuilder.Create(Variable("AZURE_CLIENT_ID"))
    .WithAuthority("https://login.microsoftonline.com/" + Variable("AZURE_TENANT_ID"));
builder = Variable("AZURE_CLIENT_CERTIFICATE_PATH") is string pem
    ? builder.WithCertificate(X509Certificate2.CreateFromPemFile(pem, pem), sendX5C: true)
    : builder.WithClientSecret(Variable("AZURE_CLIENT_SECRET"));
var app = builder.Build();
string[] scopes = ["https://contoso.crm4.dynamics.com/.default"];
// Fifty at once share what the first one gets, or each gets its own: all are answered.
var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => app.AcquireTokenForClient(scopes).ExecuteAsync()));
var again = await app.AcquireTokenForClient(scopes).ExecuteAsync();
Console.WriteLine(all[0].AccessToken);
Console.WriteLine(again.AuthenticationResultMetadata.TokenSource == TokenSource.Cache ? "cached" : "asked again");
