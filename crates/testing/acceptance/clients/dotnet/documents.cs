#:package Microsoft.Identity.Client@4.92.0
#:package Microsoft.OData.Core@8.4.4
#:property PublishAot=false
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Xml;
using Microsoft.Identity.Client;
using Microsoft.OData;
using Microsoft.OData.Edm;
using Microsoft.OData.Edm.Csdl;
using Microsoft.OData.Edm.Validation;

// What Microsoft's OData library makes of $metadata of both services, and of rows that it reads by it: a line for each.
const string Dataverse = "https://contoso.crm4.dynamics.com/api/data/v9.2/";
const string Data = "https://usnconeboxax1aos.cloud.onebox.dynamics.com/data/";
string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new Exception($"no {name}");
var application = ConfidentialClientApplicationBuilder.Create(Variable("AZURE_CLIENT_ID"))
    .WithAuthority("https://login.microsoftonline.com/" + Variable("AZURE_TENANT_ID"))
    .WithClientSecret(Variable("AZURE_CLIENT_SECRET")).Build();
using var client = new HttpClient();

await SignIn(Dataverse);
await Add(Dataverse + "contacts", new { lastname = "Reader", birthdate = "1990-05-17", donotemail = true, annualincome = 80000.5m });
await Add(Dataverse + "accounts", new { name = "Reader", creditlimit = 12.34m, numberofemployees = 7, industrycode = 1 });
await Add(Dataverse + "tasks", new { subject = "Reader", scheduledend = "2026-03-01T12:30:00Z", prioritycode = 2 });
await Rows("Dataverse", Dataverse, await Model("Dataverse", Dataverse + "$metadata"));
await Model("Dataverse, annotated", Dataverse + "$metadata?annotations=true");

await SignIn(Data);
var customer = new { dataAreaId = "usmf", CustomerGroupId = "30", SalesCurrencyCode = "USD", OrganizationName = "Reader" };
await Add(Data + "CustomersV3", customer);
await Rows("Finance & Operations", Data, await Model("Finance & Operations", Data + "$metadata"));

async Task SignIn(string service)
{
    var token = await application.AcquireTokenForClient([new Uri(service).GetLeftPart(UriPartial.Authority) + "/.default"]).ExecuteAsync();
    client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);
}

async Task Add(string set, object row)
{
    // as the names are written, which for the web would begin in lower case
    using var answer = await client.PostAsJsonAsync(set, row, new JsonSerializerOptions());
    if (!answer.IsSuccessStatusCode) throw new Exception(await answer.Content.ReadAsStringAsync());
}

async Task<IEdmModel> Model(string service, string document)
{
    using var reader = XmlReader.Create(await client.GetStreamAsync(document));
    if (!CsdlReader.TryParse(reader, out var model, out var unread))
        throw new Exception($"{service}: {string.Join("; ", unread)}");
    model.Validate(out var found);
    var objections = found.Select(one => one.ErrorCode.ToString()).Distinct().Order(StringComparer.Ordinal);
    Console.WriteLine($"{service}: {string.Join(" ", objections.DefaultIfEmpty("valid"))}");
    return model;
}

async Task Rows(string service, string root, IEdmModel model)
{
    foreach (var set in model.EntityContainer.EntitySets().OrderBy(set => set.Name, StringComparer.Ordinal))
    {
        using var answer = await client.GetAsync($"{root}{set.Name}?$top=3");
        Console.WriteLine($"{service} {set.Name}: {Read(answer, model, set)}");
    }
}

// Reads an answer by the model, which has to tell of everything in it.
string Read(HttpResponseMessage answer, IEdmModel model, IEdmEntitySet set)
{
    if (!answer.IsSuccessStatusCode) return $"{(int)answer.StatusCode}";
    using var message = new ODataMessageReader(new Answer(answer), new ODataMessageReaderSettings(), model);
    var reader = message.CreateODataResourceSetReader(set, set.EntityType);
    var rows = new List<int>();
    while (reader.Read())
        if (reader.State == ODataReaderState.ResourceEnd && reader.Item is ODataResource row) rows.Add(row.Properties.Count());
    var told = set.EntityType.StructuralProperties().Count();
    return rows.Count == 0 ? "no row" : rows.All(found => found == told) ? "whole rows" : $"{rows[0]} properties of {told}";
}

sealed class Answer(HttpResponseMessage answer) : IODataResponseMessage
{
    public int StatusCode { get => (int)answer.StatusCode; set => throw new NotSupportedException(); }
    public IEnumerable<KeyValuePair<string, string>> Headers =>
        answer.Headers.Concat(answer.Content.Headers).Select(one => KeyValuePair.Create(one.Key, string.Join(",", one.Value)));
    public string GetHeader(string name) => Headers.FirstOrDefault(one => one.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
    public void SetHeader(string name, string value) => throw new NotSupportedException();
    public Stream GetStream() => answer.Content.ReadAsStream();
}
