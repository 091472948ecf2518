#:package Microsoft.Identity.Client@4.92.0
#:property PublishAot=false
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Identity.Client;
using Microsoft.Identity.Client.Extensibility;

// MSAL.NET at AD FS, a flow by its name: msal_dotnet.cs FLOW SETTINGS
const string Nobody = "c0117050-0000-4000-8000-0000000000ff";
const string Back = "http://localhost";
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

IPublicClientApplication Native(string redirectUri = Back) => PublicClientApplicationBuilder
    .Create(Adfs("native_client_id")).WithAdfsAuthority(Adfs("base_url"), false).WithRedirectUri(redirectUri).Build();

Person Ada(string? password = null) => new(User("name"), password ?? User("password"));

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
    "at_the_aos" => AtTheAos(),
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
    "sign_in" or "sign_in_by_name" => Interactive(Ada(), "openid"),
    "sign_in_default" => Interactive(Ada(), ".default"),
    "sign_in_of_a_server_application" => ServersSignIn(),
    "sign_in_wrong_password" => Interactive(Ada("wrong"), "openid"),
    "sign_in_redirect_uri_with_a_port" => Interactive(Ada(), "openid", Back + ":8400"),
    "sign_in_without_asking" => Silent(),
    "a_code_twice" => Twice(),
    "device_code" or "device_code_by_name" => Device(),
    "device_code_cancelled" => Device(cancel: true),
    "on_behalf_of" or "on_behalf_of_by_name" => OnBehalfOf("openid+user_impersonation"),
    "on_behalf_of_without_user_impersonation" => OnBehalfOf("openid"),
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

// Its tokens, of the application and of the user, on the data of an AOS behind this AD FS.
async Task AtTheAos()
{
    var application = await BySecret().AcquireTokenForClient(Scope("openid")).ExecuteAsync();
    var user = await SignIn(Native(), User("password"), "openid");
    Saw(application);
    var url = settings.GetProperty("aos").GetProperty("onprem").GetProperty("data_url").GetString() + "/CustomerGroups";
    using var http = new HttpClient();
    var rows = new List<int>();
    foreach (var token in new[] { application.AccessToken, user.AccessToken })
    {
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        rows.Add(JsonDocument.Parse(await http.GetStringAsync(url)).RootElement.GetProperty("value").GetArrayLength());
    }
    said["rows"] = rows;
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

// What a desktop program does: MSAL makes the request and redeems what comes back, and somebody else is the browser.
async Task Interactive(Person person, string scope, string redirectUri = Back)
{
    var app = Native(redirectUri);
    var result = await app.AcquireTokenInteractive(Scope(scope)).WithCustomWebUi(person).ExecuteAsync();
    Saw(result);
    said["user"] = result.Account.Username;
    // What it asked for is in the cache under another name; the refresh token is there.
    var again = await app.AcquireTokenSilent(Scope(scope), result.Account).ExecuteAsync();
    said["kept"] = again.AuthenticationResultMetadata.TokenSource == TokenSource.Cache;
    said["refreshed"] = Claims(again.AccessToken);
    // And whoever is signed in is asked nothing.
    var pages = person.Pages;
    Saw(await app.AcquireTokenInteractive(Scope(scope)).WithCustomWebUi(person).ExecuteAsync());
    said["asked_again"] = person.Pages - pages;
}

async Task Silent()
{
    var quietly = new Dictionary<string, (string, bool)> { ["prompt"] = ("none", false) };
    var request = Native().AcquireTokenInteractive(Scope("openid")).WithPrompt(Prompt.NoPrompt);
    Saw(await request.WithExtraQueryParameters(quietly).WithCustomWebUi(Ada()).ExecuteAsync());
}

// What a web application does: it sends the browser there, and redeems the code with its secret.
async Task<AuthenticationResult> ByCode(IConfidentialClientApplication app, string scope, string? redeemed = null)
{
    var url = await app.GetAuthorizationRequestUrl(Scope(scope)).WithRedirectUri(Back).WithPkce(out var verifier).ExecuteAsync();
    var code = WebUtility.UrlDecode(Regex.Match((await Ada().Goes(url)).Query, "[?&]code=([^&]*)").Groups[1].Value);
    if (redeemed == "twice") await app.AcquireTokenByAuthorizationCode(Scope(scope), code).WithPkceCodeVerifier(verifier).ExecuteAsync();
    return await app.AcquireTokenByAuthorizationCode(Scope(scope), code).WithPkceCodeVerifier(verifier).ExecuteAsync();
}

IConfidentialClientApplication Web() => Server(Adfs("client_id"))
    .WithClientSecret(Adfs("client_secret")).WithRedirectUri(Back).Build();

async Task ServersSignIn()
{
    var app = Web();
    var result = await ByCode(app, "openid");
    Saw(result);
    said["user"] = result.Account.Username;
    var again = await app.AcquireTokenSilent(Scope("openid"), result.Account).ExecuteAsync();
    said["refreshed"] = Claims(again.AccessToken);
}

async Task Twice() => Saw(await ByCode(Web(), "openid", "twice"));

async Task Device(bool cancel = false)
{
    var result = await Native().AcquireTokenWithDeviceCode(Scope("openid"), async code =>
    {
        said["message"] = code.Message;
        await Ada().Types(code.VerificationUrl, code.UserCode, cancel);
    }).ExecuteAsync();
    Saw(result);
    said["user"] = result.Account.Username;
}

// A middle tier: what it was called with is for itself (the Web API that is called by its client id), and it goes on to the
// resource for the user.
async Task OnBehalfOf(string scope)
{
    var form = $"client_id={Adfs("native_client_id")}&redirect_uri={Back}";
    var url = $"{Adfs("base_url")}/oauth2/authorize?response_type=code&{form}&resource={Adfs("client_id")}&scope={scope}";
    var code = Regex.Match((await Ada().Goes(new Uri(url))).Query, "[?&]code=([^&]*)").Groups[1].Value;
    using var http = new HttpClient();
    var body = new StringContent($"grant_type=authorization_code&{form}&code={code}", null, "application/x-www-form-urlencoded");
    using var answer = await http.PostAsync(Adfs("base_url") + "/oauth2/token", body);
    var all = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    var token = all.GetProperty("access_token").GetString()!;
    said["assertion"] = Claims(token);
    Saw(await BySecret().AcquireTokenOnBehalfOf(Scope("openid"), new UserAssertion(token)).ExecuteAsync());
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

// Somebody without a browser: keeps cookies, fills in forms, follows redirects as far as where nobody listens.
sealed class Person(string name, string password) : ICustomWebUi
{
    private readonly HttpClient http = new(new HttpClientHandler { AllowAutoRedirect = false });

    // Forms that had to be filled in.
    public int Pages { get; private set; }

    public Task<Uri> AcquireAuthorizationCodeAsync(Uri authorization, Uri redirect, CancellationToken cancellation) =>
        Goes(authorization);

    public async Task<Uri> Goes(Uri to)
    {
        var form = new Dictionary<string, string>
        {
            ["UserName"] = name, ["Password"] = password, ["AuthMethod"] = "FormsAuthentication",
        };
        var answer = await http.GetAsync(to);
        if (answer.StatusCode == HttpStatusCode.OK) (Pages, answer) = (Pages + 1, await Sends(answer, form));
        while (answer.Headers.Location is Uri next)
        {
            to = new Uri(to, next);
            if (to.Host == "localhost" && to.IsDefaultPort) return to;
            answer = await http.GetAsync(to);
        }
        // A page again: there is nothing to go on with, and a person closes the window.
        var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        var text = Regex.Match(page, "(?<=id=\"(errorText|errorTextPassword)\"[^>]*>)[^<]+").Value;
        if (text == "") text = Regex.Match(page, "MSIS[0-9]+: [^<]*").Value;
        throw new MsalClientException(MsalError.AuthenticationCanceledError, text);
    }

    // Says yes to a device, or no.
    public async Task Types(string page, string code, bool cancel)
    {
        var answer = await http.GetAsync($"{page}?user_code={code}");
        var confirmation = Regex.Match(await answer.Content.ReadAsStringAsync(), "name=\"confirmation\" value=\"([^\"]*)").Groups[1].Value;
        answer = await Sends(answer, new() { ["confirmation"] = confirmation, [cancel ? "Cancel" : "Confirm"] = "true" });
        if (cancel) return;
        answer = await Sends(answer, new()
        {
            ["UserName"] = name, ["Password"] = password, ["AuthMethod"] = "FormsAuthentication",
        });
        answer.EnsureSuccessStatusCode();
    }

    private async Task<HttpResponseMessage> Sends(HttpResponseMessage page, Dictionary<string, string> fields)
    {
        var action = Regex.Match(await page.Content.ReadAsStringAsync(), "<form [^>]*action=\"([^\"]*)").Groups[1].Value;
        var to = new Uri(page.RequestMessage!.RequestUri!, WebUtility.HtmlDecode(action));
        return await http.PostAsync(to, new FormUrlEncodedContent(fields));
    }
}
