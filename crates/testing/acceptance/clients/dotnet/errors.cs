#:package Microsoft.Identity.Client@4.92.0
#:package Azure.Identity@1.21.0
#:property PublishAot=false
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Core;
using Azure.Identity;
using Microsoft.Identity.Client;

// What people get wrong, as MSAL.NET and Azure.Identity tell them: a line for each mistake and library.
const string Login = "https://login.microsoftonline.com/";
const string Dataverse = "https://contoso.crm4.dynamics.com/.default";
string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new Exception($"no {name}");
var (tenant, client, secret) = (Variable("AZURE_TENANT_ID"), Variable("AZURE_CLIENT_ID"), Variable("AZURE_CLIENT_SECRET"));
const string Nobody = "c0117050-0000-4000-8000-0000000000ff";
using var key = RSA.Create(2048);
var request = new CertificateRequest("CN=nobody's", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
using var foreign = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));

await Show("7000215", tenant, client, "wrong", null, Dataverse);
await Show("7000222", tenant, "c0117050-0000-4000-8000-00000000a003", "contoso-expired-secret-not-secret", null, Dataverse);
await Show("700027", tenant, client, null, foreign, Dataverse);
await Show("700016", tenant, Nobody, secret, null, Dataverse);
await Show("90002", Nobody, client, secret, null, Dataverse);
await Show("500011", tenant, client, secret, null, "https://unknown.crm4.dynamics.com/.default");
await Show("1002012", tenant, client, secret, null, "https://contoso.crm4.dynamics.com/user_impersonation");

async Task Show(string code, string tenant, string client, string secret, X509Certificate2 certificate, string scope)
{
    var builder = ConfidentialClientApplicationBuilder.Create(client).WithAuthority(Login + tenant);
    builder = certificate is null ? builder.WithClientSecret(secret) : builder.WithCertificate(certificate);
    try
    {
        await builder.Build().AcquireTokenForClient([scope]).ExecuteAsync();
        Console.WriteLine($"{code} MSAL: no error");
    }
    catch (MsalServiceException error)
    {
        var inner = error.InnerException?.GetType().Name ?? "none";
        Console.WriteLine($"{code} MSAL: {error.GetType().Name} {error.ErrorCode} {error.StatusCode} retry={error.IsRetryable} inner={inner}: {First(error.Message)}");
    }
    TokenCredential credential = certificate is null
        ? new ClientSecretCredential(tenant, client, secret) : new ClientCertificateCredential(tenant, client, certificate);
    try
    {
        await credential.GetTokenAsync(new TokenRequestContext([scope]), default);
        Console.WriteLine($"{code} Azure.Identity: no error");
    }
    catch (AuthenticationFailedException error)
    {
        Console.WriteLine($"{code} Azure.Identity: {error.GetType().Name}: {First(error.Message)} | {error.InnerException?.GetType().Name}: {First(error.InnerException?.Message)}");
    }
}

// Up to where it is another text each time.
string First(string text) => (text ?? "").Split(" Trace ID:")[0].Replace("\n", " ").Replace("\r", "");
