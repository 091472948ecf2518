#:package Microsoft.Identity.Client@4.92.0
#:package Microsoft.OData.Core@8.4.4
#:property PublishAot=false
using System.Net.Http.Headers;
using System.Text.Json;
using System.Xml;
using Microsoft.Identity.Client;
using Microsoft.OData;
using Microsoft.OData.Edm;
using Microsoft.OData.Edm.Csdl;
using Microsoft.OData.UriParser;

// What is said of queries that cannot be read: by Microsoft's OData library, with the model of a service's own $metadata, and by
// the service. A line of JSON for each query of the file that is named.
const string Dataverse = "https://contoso.crm4.dynamics.com/api/data/v9.2/";
const string Data = "https://usnconeboxax1aos.cloud.onebox.dynamics.com/data/";
string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new Exception($"no {name}");
var application = ConfidentialClientApplicationBuilder.Create(Variable("AZURE_CLIENT_ID"))
    .WithAuthority("https://login.microsoftonline.com/" + Variable("AZURE_TENANT_ID"))
    .WithClientSecret(Variable("AZURE_CLIENT_SECRET")).Build();
using var client = new HttpClient();
var services = new Dictionary<string, (string Root, IEdmModel Model, string Token)>
{
    ["dataverse"] = await Service(Dataverse),
    ["finance"] = await Service(Data),
};

string kind = "";
foreach (var line in File.ReadLines(args[0]))
{
    if (line.Length == 0 || line.StartsWith('#')) continue;
    if (line.StartsWith('[')) { kind = line.Trim('[', ']'); continue; }
    var (name, query) = (line[..line.IndexOf(' ')], line[(line.IndexOf(' ') + 1)..]);
    var (root, model, token) = services[name];
    var address = root + Escaped(query);
    var (status, said) = await Ask(address, token);
    Console.WriteLine(JsonSerializer.Serialize(new { kind, service = name, query, library = Parsed(model, root, address), status, said },
        new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
}

// The service as this program sees it: what its document says, and a token.
async Task<(string, IEdmModel, string)> Service(string root)
{
    var scope = new Uri(root).GetLeftPart(UriPartial.Authority) + "/.default";
    var token = (await application.AcquireTokenForClient([scope]).ExecuteAsync()).AccessToken;
    var request = new HttpRequestMessage(HttpMethod.Get, root + "$metadata");
    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
    using var answer = await client.SendAsync(request);
    using var reader = XmlReader.Create(await answer.Content.ReadAsStreamAsync());
    if (!CsdlReader.TryParse(reader, out var model, out var unread)) throw new Exception(string.Join("; ", unread));
    return (root, model, token);
}

// Names and values of the options as they travel.
string Escaped(string query)
{
    var (path, options) = (query[..query.IndexOf('?')], query[(query.IndexOf('?') + 1)..]);
    var pairs = options.Split('&').Select(pair =>
    {
        var at = pair.IndexOf('=');
        return at < 0 ? Uri.EscapeDataString(pair) : $"{pair[..at]}={Uri.EscapeDataString(pair[(at + 1)..])}";
    });
    return $"{path}?{string.Join('&', pairs)}";
}

// The library's sentence, or what it takes the query for.
string Parsed(IEdmModel model, string root, string address)
{
    var parser = new ODataUriParser(model, new Uri(root), new Uri(address)) { Resolver = new ODataUriResolver { EnableCaseInsensitive = false } };
    try
    {
        parser.ParseUri();
        return "(read)";
    }
    catch (ODataException fault)
    {
        return fault.Message;
    }
    catch (Exception fault)
    {
        return $"({fault.GetType().Name}) {fault.Message}";
    }
}

async Task<(int, string)> Ask(string address, string token)
{
    var request = new HttpRequestMessage(HttpMethod.Get, address);
    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
    using var answer = await client.SendAsync(request);
    var body = await answer.Content.ReadAsStringAsync();
    if (answer.IsSuccessStatusCode) return ((int)answer.StatusCode, "(answered)");
    using var document = JsonDocument.Parse(body.Length == 0 ? "{}" : body);
    return ((int)answer.StatusCode, Sentence(document.RootElement) ?? body);
}

// Dataverse says it in the message, Finance & Operations in the error within.
string Sentence(JsonElement body)
{
    if (!body.TryGetProperty("error", out var error)) return null;
    return (error.TryGetProperty("innererror", out var inner) ? inner : error).GetProperty("message").GetString();
}
