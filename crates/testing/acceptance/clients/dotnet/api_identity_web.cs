#:sdk Microsoft.NET.Sdk.Web
#:package Microsoft.Identity.Web@4.18.0
#:property PublishAot=false
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Identity.Web;

// An API of one tenant, or of whom `organizations` or `common` means, as its appsettings.json would say.
var builder = WebApplication.CreateBuilder();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.ClearProviders();
builder.Configuration.AddInMemoryCollection(new Dictionary<string, string>
{
    ["AzureAd:Instance"] = "https://login.microsoftonline.com/",
    ["AzureAd:TenantId"] = args[0],
    ["AzureAd:ClientId"] = "c0117050-0000-4000-8000-00000000a004",
});
builder.Services.AddAuthorization();
builder.Services.AddMicrosoftIdentityWebApiAuthentication(builder.Configuration);
// What the API's own log would say.
builder.Services.PostConfigure<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme, options =>
{
    var own = options.Events.OnChallenge;
    options.Events.OnChallenge = async challenge =>
    {
        if (challenge.AuthenticateFailure is Exception why)
            challenge.Response.Headers["x-reason"] = why.GetType().Name + " " + why.Message.Split(' ')[0];
        await own(challenge);
    };
});

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
string Roles(ClaimsPrincipal user) => string.Join(",", user.FindAll(ClaimTypes.Role).Select(role => role.Value));
app.MapGet("/tasks", Roles).RequireAuthorization(policy => policy.RequireRole("Tasks.Read.All"));
app.MapGet("/all", Roles).RequireAuthorization(policy => policy.RequireRole("Tasks.ReadWrite.All"));
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine(app.Urls.Single()));
await app.RunAsync();
