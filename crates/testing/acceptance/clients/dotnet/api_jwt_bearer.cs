#:sdk Microsoft.NET.Sdk.Web
#:package Microsoft.AspNetCore.Authentication.JwtBearer@10.0.15
#:package Microsoft.IdentityModel.Validators@8.23.0
#:property PublishAot=false
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Validators;

// An API of one tenant, or of whom `organizations` or `common` means; the second argument is how it looks at the issuer: as it
// is, not at all (any), by Microsoft's validator, or with everything the validators can ask (strict).
var (tenant, issuers) = (args[0], args[1]);
var authority = $"https://login.microsoftonline.com/{tenant}/v2.0";

var builder = WebApplication.CreateBuilder();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.ClearProviders();
builder.Services.AddAuthorization();
builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
{
    options.Authority = authority;
    options.Audience = "c0117050-0000-4000-8000-00000000a004";
    if (issuers == "any") options.TokenValidationParameters.ValidateIssuer = false;
    if (issuers is "validator" or "strict")
        options.TokenValidationParameters.IssuerValidator = AadIssuerValidator.GetAadIssuerValidator(authority).Validate;
    if (issuers == "strict")
    {
        options.TokenValidationParameters.EnableAadSigningKeyIssuerValidation();
        options.TokenValidationParameters.TryAllIssuerSigningKeys = false;
    }
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

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
string Roles(ClaimsPrincipal user) => string.Join(",", user.FindAll(ClaimTypes.Role).Select(role => role.Value));
app.MapGet("/tasks", Roles).RequireAuthorization(policy => policy.RequireRole("Tasks.Read.All"));
app.MapGet("/all", Roles).RequireAuthorization(policy => policy.RequireRole("Tasks.ReadWrite.All"));
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine(app.Urls.Single()));
await app.RunAsync();
