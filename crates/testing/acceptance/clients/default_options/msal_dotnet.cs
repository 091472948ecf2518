#:package Microsoft.Identity.Client@4.92.0
using System.Security.Cryptography.X509Certificates;
using Microsoft.Identity.Client;
using Microsoft.Identity.Client.AppConfig;

const string Resource = "https://contoso.crm4.dynamics.com";
string? Variable(string name) => Environment.GetEnvironmentVariable(name);

IConfidentialClientApplication Application()
{
    var builder = ConfidentialClientApplicationBuilder.Create(Variable("AZURE_CLIENT_ID"))
        .WithAuthority("https://login.microsoftonline.com/" + Variable("AZURE_TENANT_ID"));
    var chain = Variable("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN") is not null;
    return (Variable("AZURE_CLIENT_CERTIFICATE_PATH") switch
    {
        null => builder.WithClientSecret(Variable("AZURE_CLIENT_SECRET")),
        var pfx when pfx.EndsWith(".pfx") => builder.WithCertificate(X509CertificateLoader.LoadPkcs12FromFile(pfx, ""), chain),
        var pem => builder.WithCertificate(X509Certificate2.CreateFromPemFile(pem, pem), chain),
    }).Build();
}

Func<Task<AuthenticationResult>> ask;
if (Variable("AZURE_CLIENT_ID") is null)
{
    var app = ManagedIdentityApplicationBuilder.Create(ManagedIdentityId.SystemAssigned).Build();
    ask = () => app.AcquireTokenForManagedIdentity(Resource).ExecuteAsync();
}
else
{
    var app = Application();
    ask = () => app.AcquireTokenForClient([Resource + "/.default"]).ExecuteAsync();
}
// Fifty at once share what the first one gets, or each gets its own: all are answered.
var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ask()));
var again = await ask();
Console.WriteLine(all[0].AccessToken);
Console.WriteLine(again.AuthenticationResultMetadata.TokenSource == TokenSource.Cache ? "cached" : "asked again");
