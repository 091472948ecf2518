#:package Microsoft.Identity.Client@4.92.0
#:property PublishAot=false
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Identity.Client;

// MSAL.NET at AD FS, a flow by its name: msal_dotnet.cs FLOW SETTINGS
const string Nobody = "c0117050-0000-4000-8000-0000000000ff";
var settings = JsonDocument.Parse(File.ReadAllText(args[1])).RootElement;
string Adfs(string name) => settings.GetProperty("adfs").GetProperty(name).GetString()!;
string User(string name) => settings.GetProperty("user").GetProperty(name).GetString()!;
string[] Scope(string name) => [Adfs("resource") + "/" + name];

ConfidentialClientApplicationBuilder Server(string client, bool validate = false) =>
    ConfidentialClientApplicationBuilder.Create(client).WithAdfsAuthority(Adfs("base_url"), validate);

IConfidentialClientApplication BySecret(string? client = null, string? secret = null, bool validate = false) =>
    Server(client ?? Adfs("client_id"), validate).WithClientSecret(secret ?? Adfs("client_secret")).Build();

IConfidentialClientApplication ByCertificate(bool chain)
{
    var pem = settings.GetProperty("entra").GetProperty("certificate_pem").GetString()!;
    return Server(Adfs("client_id")).WithCertificate(X509Certificate2.CreateFromPemFile(pem, pem), chain).Build();
}

IPublicClientApplication Native() =>
    PublicClientApplicationBuilder.Create(Adfs("native_client_id")).WithAdfsAuthority(Adfs("base_url"), false).Build();

var said = new Dictionary<string, object?>();
try
{
    await Run();
}
catch (MsalException refused)
{
    said["error"] = $"{refused.ErrorCode}: {refused.Message}";
    said["exception"] = refused.GetType().Name;
}
Console.WriteLine(JsonSerializer.Serialize(said));

Task Run() => args[0] switch
{
    "secret" or "secret_by_name" => AppOnly(BySecret(), "openid"),
    "certificate" or "certificate_by_name" => AppOnly(ByCertificate(false), "openid"),
    "certificate_chain_sent" => AppOnly(ByCertificate(true), "openid"),
    "authority_validated_by_name" => AppOnly(BySecret(validate: true), "openid"),
    "default_alone" => AppOnly(BySecret(), ".default"),
    "wrong_secret" => AppOnly(BySecret(secret: "wrong"), "openid"),
    "unknown_client" => AppOnly(BySecret(client: Nobody), "openid"),
    "username_and_password" => Password(User("password"), "openid"),
    "username_and_password_default" => Password(User("password"), ".default"),
    "username_and_password_of_a_server_application" => ServersPassword(),
    "wrong_password" => Password("wrong", "openid"),
    "refresh_by_the_cache" or "refresh_by_the_cache_by_name" => Refresh(),
    _ => throw new ArgumentException(args[0]),
};

async Task AppOnly(IConfidentialClientApplication app, string scope)
{
    var result = await app.AcquireTokenForClient(Scope(scope)).ExecuteAsync();
    var again = await app.AcquireTokenForClient(Scope(scope)).ExecuteAsync();
    Saw(result);
    said["kept"] = again.AuthenticationResultMetadata.TokenSource == TokenSource.Cache;
}

Task<AuthenticationResult> SignIn(IPublicClientApplication app, string password, string scope) =>
    app.AcquireTokenByUsernamePassword(Scope(scope), User("name"), password).ExecuteAsync();

async Task Password(string password, string scope)
{
    var result = await SignIn(Native(), password, scope);
    Saw(result);
    said["user"] = result.Account.Username;
}

async Task ServersPassword()
{
    var app = (IByUsernameAndPassword)BySecret();
    Saw(await app.AcquireTokenByUsernamePassword(Scope("openid"), User("name"), User("password")).ExecuteAsync());
}

async Task Refresh()
{
    var app = Native();
    Saw(await SignIn(app, User("password"), "openid"));
    var account = (await app.GetAccountsAsync()).Single();
    var kept = await app.AcquireTokenSilent(Scope("openid"), account).ExecuteAsync();
    said["kept"] = kept.AuthenticationResultMetadata.TokenSource == TokenSource.Cache;
    // The refresh gives no refresh token: the first one is still there.
    foreach (var name in new[] { "refreshed", "refreshed_again" })
    {
        var result = await app.AcquireTokenSilent(Scope("openid"), account).WithForceRefresh(true).ExecuteAsync();
        said[name] = Claims(result.AccessToken);
    }
}

void Saw(AuthenticationResult result)
{
    said["claims"] = Claims(result.AccessToken);
    said["token_type"] = result.TokenType;
}

JsonElement Claims(string token)
{
    var body = token.Split('.')[1].Replace('-', '+').Replace('_', '/');
    return JsonDocument.Parse(Convert.FromBase64String(body.PadRight((body.Length + 3) / 4 * 4, '='))).RootElement;
}
