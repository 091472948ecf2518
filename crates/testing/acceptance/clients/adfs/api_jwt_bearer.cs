#:sdk Microsoft.NET.Sdk.Web
#:package Microsoft.AspNetCore.Authentication.JwtBearer@10.0.15
#:property PublishAot=false
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

// An ASP.NET API of AD FS, and somebody who calls it: api_jwt_bearer.cs FLOW SETTINGS
var settings = JsonDocument.Parse(File.ReadAllText(args[1])).RootElement;
string Adfs(string name) => settings.GetProperty("adfs").GetProperty(name).GetString()!;
using var http = new HttpClient();

var builder = WebApplication.CreateBuilder();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.ClearProviders();
builder.Services.AddAuthorization();
builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
{
    options.MetadataAddress = Adfs("base_url") + "/.well-known/openid-configuration";
    options.Audience = args[0] == "audience_without_its_final_slash" ? Adfs("resource").TrimEnd('/') : Adfs("resource");
    // Discovery's `access_token_issuer`, which the library does not look at.
    if (args[0] != "as_it_is") options.TokenValidationParameters.ValidIssuer = "http://ADFS.contoso.com/adfs/services/trust";
    // What the API's own log would say.
    options.Events = new JwtBearerEvents
    {
        OnChallenge = challenge =>
        {
            if (challenge.AuthenticateFailure is Exception why)
                challenge.Response.Headers["x-reason"] = why.GetType().Name + " " + why.Message.Split(' ')[0];
            return Task.CompletedTask;
        },
    };
});
await using var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapGet("/", (ClaimsPrincipal user) => user.FindFirstValue("appid")).RequireAuthorization();
await app.StartAsync();

var form = new Dictionary<string, string>
{
    ["grant_type"] = "client_credentials",
    ["client_id"] = Adfs("client_id"),
    ["client_secret"] = Adfs("client_secret"),
    ["resource"] = args[0] == "a_token_for_another_resource" ? "urn:microsoft:userinfo" : Adfs("resource"),
};
using var answer = await http.PostAsync(Adfs("base_url") + "/oauth2/token", new FormUrlEncodedContent(form));
var token = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString();
// What was signed with a key of nobody's.
if (args[0] == "a_changed_token") token = token![..^8] + "AAAAAAAA";

using var call = new HttpRequestMessage(HttpMethod.Get, app.Urls.Single());
call.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
using var direct = new HttpClient(new HttpClientHandler { UseProxy = false });
using var reply = await direct.SendAsync(call);
Console.WriteLine(JsonSerializer.Serialize(new
{
    status = (int)reply.StatusCode,
    body = await reply.Content.ReadAsStringAsync(),
    challenge = string.Join(", ", reply.Headers.WwwAuthenticate),
    reason = string.Join("", reply.Headers.TryGetValues("x-reason", out var why) ? why : []),
}));
await app.StopAsync();
