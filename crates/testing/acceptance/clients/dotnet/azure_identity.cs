#:package Azure.Identity@1.21.0
#:property PublishAot=false
using System.Text.Json;
using Azure.Core;
using Azure.Identity;

// Every credential of Azure.Identity that an unattended program uses, with default options: a line for each, with who it is.
string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new Exception($"no {name}");
void Set(string name, string value) => Environment.SetEnvironmentVariable(name, value);
var (tenant, client, secret) = (Variable("AZURE_TENANT_ID"), Variable("AZURE_CLIENT_ID"), Variable("AZURE_CLIENT_SECRET"));
var pem = Path.Combine(Variable("CERTIFICATES"), "certificate.pem");
var pfx = Path.Combine(Variable("CERTIFICATES"), "certificate.pfx");

await Show("secret", new ClientSecretCredential(tenant, client, secret));
await Show("secret, tenant by domain", new ClientSecretCredential("contoso.com", client, secret));
await Show("PEM", new ClientCertificateCredential(tenant, client, pem));
await Show("PFX", new ClientCertificateCredential(tenant, client, pfx));
await Show("PEM with its chain", new ClientCertificateCredential(tenant, client, pem, new ClientCertificateCredentialOptions { SendCertificateChain = true }));
await Show("environment, secret", new EnvironmentCredential());
await Show("default, secret", new DefaultAzureCredential());
foreach (var file in new[] { pem, pfx })
{
    Set("AZURE_CLIENT_SECRET", null);
    Set("AZURE_CLIENT_CERTIFICATE_PATH", file);
    await Show($"environment, {Path.GetExtension(file)}", new EnvironmentCredential());
    await Show($"default, {Path.GetExtension(file)}", new DefaultAzureCredential());
}
foreach (var name in new[] { "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH" }) Set(name, null);

// The first that knows who it is.
await Show("chain", new ChainedTokenCredential(new EnvironmentCredential(), new WorkloadIdentityCredential(), new ClientSecretCredential(tenant, client, secret)));
await Show("chain, managed identity", new ChainedTokenCredential(new EnvironmentCredential(), new ManagedIdentityCredential()));

await Show("system-assigned", new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned));
await Show("user-assigned by client id", new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(client)));
await Show("user-assigned by object id", new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedObjectId(Variable("OBJECT_ID"))));
await Show("user-assigned by resource id", new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedResourceId(new ResourceIdentifier(Variable("RESOURCE_ID")))));
await Show("default, user-assigned", new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = client }));
await Show("nobody's", new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(tenant)));

async Task Show(string way, TokenCredential credential)
{
    try
    {
        var token = await credential.GetTokenAsync(new TokenRequestContext(["https://contoso.crm4.dynamics.com/.default"]), default);
        var body = token.Token.Split('.')[1].Replace('-', '+').Replace('_', '/');
        var claims = JsonDocument.Parse(Convert.FromBase64String(body.PadRight((body.Length + 3) / 4 * 4, '='))).RootElement;
        Console.WriteLine($"{way}: {claims.GetProperty("appid").GetString()![^4..]} acr={claims.GetProperty("appidacr").GetString()}");
    }
    catch (AuthenticationFailedException failure)
    {
        Console.WriteLine($"{way}: {failure.GetType().Name}: {failure.Message.Replace("\n", " ")}");
    }
}
