#:package Microsoft.Identity.Client@4.92.0
#:property PublishAot=false
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.Identity.Client;

// Every way in which MSAL.NET gets an application's token, with default options: a line for each, with where the token came
// from and whose it is.
const string Login = "https://login.microsoftonline.com/";
const string Dataverse = "https://contoso.crm4.dynamics.com/.default";
const string Aos = "https://usnconeboxax1aos.cloud.onebox.dynamics.com/.default";
const string Api = "api://contoso-api/.default";
string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new Exception($"no {name}");
var (client, tenant) = (Variable("AZURE_CLIENT_ID"), Variable("AZURE_TENANT_ID"));
var pem = Variable("AZURE_CLIENT_CERTIFICATE_PATH");
var certificate = X509Certificate2.CreateFromPemFile(pem, pem);

ConfidentialClientApplicationBuilder Client() => ConfidentialClientApplicationBuilder.Create(client);
var x5t = Client().WithAuthority(Login + tenant).WithCertificate(certificate).Build();
var x5c = Client().WithAuthority(Login + tenant).WithCertificate(certificate, sendX5C: true).Build();
var called = Client().WithAuthority(Login + tenant).WithClientAssertion(Assertion).Build();
var anyone = Client().WithAuthority(Login + "organizations").WithCertificate(certificate).Build();
var domain = Client().WithAuthority(Login + "contoso.onmicrosoft.com").WithCertificate(certificate).Build();
var vanity = Client().WithTenantId("contoso.com").WithCertificate(certificate).Build();
var generic = Client().WithOidcAuthority(Login + tenant + "/v2.0").WithCertificate(certificate).Build();

await Show("x5t", x5t.AcquireTokenForClient([Dataverse]));
await Show("x5c", x5c.AcquireTokenForClient([Dataverse]));
await Show("assertion callback", called.AcquireTokenForClient([Dataverse]));
await Show("organizations, WithTenantId", anyone.AcquireTokenForClient([Dataverse]).WithTenantId(tenant));
await Show("organizations, its domain", anyone.AcquireTokenForClient([Dataverse]).WithTenantId("contoso.com"));
await Show("tenant by domain", domain.AcquireTokenForClient([Dataverse]));
await Show("tenant by vanity domain", vanity.AcquireTokenForClient([Dataverse]));
await Show("OIDC authority", generic.AcquireTokenForClient([Dataverse]));

// One cache for all: by resource and by tenant.
await Show("another resource", x5t.AcquireTokenForClient([Aos]));
await Show("a third", x5t.AcquireTokenForClient([Api]));
await Show("the first again", x5t.AcquireTokenForClient([Dataverse]));
await Show("the second again", x5t.AcquireTokenForClient([Aos]));
await Show("the third by force", x5t.AcquireTokenForClient([Api]).WithForceRefresh(true));
await Show("the tenant again", anyone.AcquireTokenForClient([Dataverse]).WithTenantId(tenant));
await Show("another tenant", anyone.AcquireTokenForClient([Api]).WithTenantId(Variable("SECOND_TENANT")));
await Show("another tenant again", anyone.AcquireTokenForClient([Api]).WithTenantId(Variable("SECOND_TENANT")));

// Fifty at once, none of whom goes on before all have come to where a request is signed: nobody waits for another's token.
var (come, everybody) = (0, new TaskCompletionSource());
var fresh = Client().WithAuthority(Login + tenant).WithClientAssertion(async asked =>
{
    if (Interlocked.Increment(ref come) == 50) everybody.SetResult();
    await Task.WhenAny(everybody.Task, Task.Delay(TimeSpan.FromSeconds(10)));
    return await Assertion(asked);
}).Build();
var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => fresh.AcquireTokenForClient([Aos]).ExecuteAsync()));
Console.WriteLine($"fifty at once: {all.Count(result => result.AuthenticationResultMetadata.TokenSource == TokenSource.IdentityProvider)} asked");
await Show("the fifty-first", fresh.AcquireTokenForClient([Aos]));

async Task Show(string way, AcquireTokenForClientParameterBuilder asked)
{
    var result = await asked.ExecuteAsync();
    var body = result.AccessToken.Split('.')[1].Replace('-', '+').Replace('_', '/');
    var claims = JsonDocument.Parse(Convert.FromBase64String(body.PadRight((body.Length + 3) / 4 * 4, '='))).RootElement;
    string Claim(string name) => claims.TryGetProperty(name, out var value) ? value.GetString() : "";
    var source = result.AuthenticationResultMetadata.TokenSource;
    Console.WriteLine($"{way}: {source} aud={Claim("aud")} tid={Claim("tid")} acr={Claim("appidacr")}{Claim("azpacr")}");
}

// What a vault or a signer of one's own would give.
Task<string> Assertion(AssertionRequestOptions asked)
{
    string Part(object part) => Convert.ToBase64String(part as byte[] ?? JsonSerializer.SerializeToUtf8Bytes(part))
        .TrimEnd('=').Replace('+', '-').Replace('/', '_');
    var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    var head = Part(new { alg = "PS256", typ = "JWT", kid = "own", x5t = Part(certificate.GetCertHash()) });
    var body = Part(new { aud = asked.TokenEndpoint, iss = asked.ClientID, sub = asked.ClientID, jti = Guid.NewGuid(), nbf = now, exp = now + 300 });
    var signature = certificate.GetRSAPrivateKey().SignData(Encoding.ASCII.GetBytes(head + "." + body), HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
    return Task.FromResult(head + "." + body + "." + Part(signature));
}
