#:sdk Microsoft.NET.Sdk.Web
#:package Microsoft.AspNetCore.Authentication.OpenIdConnect@10.0.15
#:property PublishAot=false
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

// A web application of ASP.NET Core that people sign in to at AD FS, and one of them: openid_connect.cs FLOW SETTINGS
var settings = JsonDocument.Parse(File.ReadAllText(args[1])).RootElement;
string Adfs(string name) => settings.GetProperty("adfs").GetProperty(name).GetString()!;
string User(string name) => settings.GetProperty("user").GetProperty(name).GetString()!;
var flow = args[0].Replace("_by_name", "");
// As an AOS on-premises does it: its client id, which is a native application's.
var asTheAos = flow == "as_the_aos";
var client = asTheAos ? "d8230a86-015d-4c14-bcd6-c7fb65176b16" : Adfs("client_id");
var said = new Dictionary<string, object?>();

using var certificate = Certificate();
var builder = WebApplication.CreateBuilder();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, port => port.UseHttps(certificate)));
builder.Logging.ClearProviders();
builder.Services.AddAuthorization();
builder.Services
    .AddAuthentication(options =>
    {
        options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
        options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;
    })
    .AddCookie()
    .AddOpenIdConnect(options =>
    {
        options.Authority = Adfs("base_url");
        options.ClientId = client;
        options.ClientSecret = asTheAos ? null : flow == "wrong_secret" ? "wrong" : Adfs("client_secret");
        options.ResponseType = flow switch
        {
            "code_and_id_token" => "code id_token",
            "id_token" or "as_the_aos" => "id_token",
            _ => "code",
        };
        if (flow == "query") options.ResponseMode = "query";
        // Userinfo takes a token that is for itself alone.
        if (flow == "userinfo") options.GetClaimsFromUserInfoEndpoint = true;
        else if (flow != "id_token" && !asTheAos) options.Resource = Adfs("resource");
        options.Scope.Clear();
        options.Scope.Add("openid");
        options.MapInboundClaims = false;
        options.SaveTokens = true;
        options.Events = new OpenIdConnectEvents
        {
            OnRedirectToIdentityProvider = context =>
            {
                if (flow == "without_asking") context.ProtocolMessage.Prompt = "none";
                if (flow == "unregistered") context.ProtocolMessage.RedirectUri += "/";
                return Task.CompletedTask;
            },
            // What the application's own log would say.
            OnRemoteFailure = context =>
            {
                var why = context.Failure!;
                said["error"] = why.InnerException?.Message ?? why.Message;
                said["exception"] = (why.InnerException ?? why).GetType().Name;
                context.HandleResponse();
                context.Response.StatusCode = 403;
                return Task.CompletedTask;
            },
        };
    });
await using var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapGet("/", async (ClaimsPrincipal user, HttpContext context) => new
{
    upn = user.FindFirstValue("upn"),
    sub = user.FindFirstValue("sub"),
    access_token = await context.GetTokenAsync("access_token"),
}).RequireAuthorization();
app.MapGet("/out", () => Results.SignOut(new AuthenticationProperties { RedirectUri = "/gone" },
    [CookieAuthenticationDefaults.AuthenticationScheme, OpenIdConnectDefaults.AuthenticationScheme]));
app.MapGet("/gone", () => new { gone = true });
await app.StartAsync();
var home = new Uri(app.Urls.Single().Replace("127.0.0.1", "localhost") + "/");
await Register(home);

var cookies = new CookieContainer();
using var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = cookies };
handler.ServerCertificateCustomValidationCallback = (_, shown, _, errors) =>
    errors == System.Net.Security.SslPolicyErrors.None || certificate.Equals(shown);
using var http = new HttpClient(handler);
var pages = 0;
string? page = null;
FormUrlEncodedContent? posted = null;
Uri? postedTo = null;

var shown = await Browses(home);
Saw(shown);
if (flow == "twice_in_one_browser")
{
    // The application forgets who that was; AD FS does not.
    foreach (Cookie cookie in cookies.GetCookies(home))
        if (cookie.Name.StartsWith(".AspNetCore.Cookies")) cookie.Expired = true;
    var before = pages;
    Saw(await Browses(home));
    said["asked_again"] = pages - before;
}
if (flow == "an_answer_twice")
{
    using var again = await http.PostAsync(postedTo, posted);
    said["status"] = (int)again.StatusCode;
}
said["left"] = OfTheRequest();
if (flow is "sign_out" or "sign_out_unregistered")
{
    Saw(await Browses(new Uri(home, "out")));
    said["session_left"] = cookies.GetAllCookies().Any(cookie => cookie.Name.StartsWith("MSISAuth"));
    said["signed_in"] = cookies.GetAllCookies().Any(cookie => cookie.Name == ".AspNetCore.Cookies");
}
if (flow == "signed_out_elsewhere")
{
    // Another application sends the browser to AD FS, which tells this one in a frame.
    Saw(await Browses(new Uri(Adfs("base_url") + "/oauth2/logout")));
    var frame = Regex.Match(page!, "<iframe [^>]*src=\"([^\"]*)").Groups[1].Value;
    using var told = await http.GetAsync(WebUtility.HtmlDecode(frame));
    said["told"] = (int)told.StatusCode;
    said["session_left"] = cookies.GetAllCookies().Any(cookie => cookie.Name.StartsWith("MSISAuth"));
    said["signed_in"] = cookies.GetAllCookies().Any(cookie => cookie.Name == ".AspNetCore.Cookies");
}
Console.WriteLine(JsonSerializer.Serialize(said));
await app.StopAsync();

// The application's cookies that are for one request to AD FS: its nonce, and what its answer has to belong to.
string[] OfTheRequest() => [.. cookies.GetAllCookies()
    .Select(cookie => Regex.Match(cookie.Name, "OpenIdConnect[.]Nonce|Correlation").Value).Where(name => name != "").Order()];

// What somebody sees in the end who goes there: redirects followed, forms filled in or sent as they are.
async Task<HttpResponseMessage> Browses(Uri to)
{
    var answer = await http.GetAsync(to);
    for (var steps = 0; steps < 20; steps++)
    {
        if (answer.Headers.Location is Uri next)
        {
            to = new Uri(to, next);
            answer = await http.GetAsync(to);
            continue;
        }
        page = await answer.Content.ReadAsStringAsync();
        var form = Regex.Match(page, "<form [^>]*action=\"([^\"]*)");
        if (!form.Success || to.Host == home.Host && to.Port == home.Port) return answer;
        var fields = Regex.Matches(page, "<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)").ToDictionary(
            field => WebUtility.HtmlDecode(field.Groups[1].Value), field => WebUtility.HtmlDecode(field.Groups[2].Value));
        to = new Uri(to, WebUtility.HtmlDecode(form.Groups[1].Value));
        if (page.Contains("name=\"hiddenform\""))
        {
            (posted, postedTo) = (new FormUrlEncodedContent(fields), to);
        }
        else
        {
            said["meanwhile"] = OfTheRequest();
            pages++;
            fields = new() { ["UserName"] = User("name"), ["Password"] = User("password"), ["AuthMethod"] = "FormsAuthentication" };
        }
        answer = await http.PostAsync(to, new FormUrlEncodedContent(fields));
    }
    return answer;
}

void Saw(HttpResponseMessage answer)
{
    said["status"] = (int)answer.StatusCode;
    said["pages"] = pages;
    var text = page!;
    if (text.StartsWith('{'))
    {
        var body = JsonDocument.Parse(text).RootElement;
        foreach (var member in body.EnumerateObject())
            said[member.Name] = member.Name == "access_token" ? member.Value.ValueKind == JsonValueKind.String : member.Value;
        if (body.TryGetProperty("access_token", out var token) && token.GetString() is string jwt) said["claims"] = Claims(jwt);
    }
    else if (Regex.Match(text, "(?<=id=\"signoutMessage\">)[^<]*") is { Success: true } message) said["page"] = message.Value;
    else if (Regex.Match(text, "MSIS[0-9]+: [^<]*") is { Success: true } error) said["page"] = WebUtility.HtmlDecode(error.Value);
}

JsonElement Claims(string token)
{
    var body = token.Split('.')[1].Replace('-', '+').Replace('_', '/');
    return JsonDocument.Parse(Convert.FromBase64String(body.PadRight((body.Length + 3) / 4 * 4, '='))).RootElement;
}

// What an administrator does for an application: where it is come back to.
async Task Register(Uri home)
{
    var group = "Microsoft Dynamics 365 for Operations On-premises";
    var kind = asTheAos ? "native_applications" : "server_applications";
    var application = $"/federation_services/contoso/application_groups/{group}/{kind}/{client}";
    var edits = new List<object>();
    void Add(string member, string path) =>
        edits.Add(new { op = "add", path = application + member, value = new Uri(home, path).ToString() });
    Add("/redirect_uris/-", "signin-oidc");
    if (flow != "sign_out_unregistered") Add("/redirect_uris/-", "signout-callback-oidc");
    if (flow == "signed_out_elsewhere") Add("/logout_uri", "signout-oidc");
    using var direct = new HttpClient(new HttpClientHandler { UseProxy = false });
    // Inside `exec` a lab has a token of its own.
    if (Environment.GetEnvironmentVariable("MOCKTENANT_CONTROL_TOKEN") is string token)
        direct.DefaultRequestHeaders.Authorization = new("Bearer", token);
    using var answer = await direct.PatchAsync(settings.GetProperty("control_url").GetString() + "/v1/world",
        new StringContent(JsonSerializer.Serialize(edits), null, "application/json"));
    if (!answer.IsSuccessStatusCode) throw new InvalidOperationException(await answer.Content.ReadAsStringAsync());
}

// Cookies that come along with a form of another site are `Secure`.
X509Certificate2 Certificate()
{
    using var key = RSA.Create(2048);
    var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    var names = new SubjectAlternativeNameBuilder();
    names.AddDnsName("localhost");
    request.CertificateExtensions.Add(names.Build());
    using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
}
