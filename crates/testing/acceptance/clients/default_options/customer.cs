#:package Azure.Identity@1.21.0
#:property PublishAot=false
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;

var aos = Environment.GetEnvironmentVariable("AOS") ?? "https://usnconeboxax1aos.cloud.onebox.dynamics.com";
const string Dataverse = "https://contoso.crm4.dynamics.com";
TokenCredential credential = args.Length == 0 ? new DefaultAzureCredential() : new EnvironmentCredential();
using var http = new HttpClient();

async Task<JsonElement> Call(HttpMethod method, string resource, string path, object? body = null)
{
    var token = await credential.GetTokenAsync(new TokenRequestContext([resource + "/.default"]), default);
    var request = new HttpRequestMessage(method, resource + path) { Content = body is null ? null : JsonContent.Create(body) };
    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
    var answer = await http.SendAsync(request);
    var text = await answer.Content.ReadAsStringAsync();
    if (!answer.IsSuccessStatusCode) throw new Exception($"{(int)answer.StatusCode} {text}");
    return JsonDocument.Parse(text).RootElement;
}

await Call(HttpMethod.Post, aos, "/data/CustomersV3", new Dictionary<string, string>
{
    ["dataAreaId"] = "usmf", ["CustomerAccount"] = "DE-CS", ["OrganizationName"] = "Forest Wholesales",
    ["PartyType"] = "Organization", ["CustomerGroupId"] = "30", ["SalesCurrencyCode"] = "EUR",
});
var accounts = await Call(HttpMethod.Get, Dataverse, "/api/data/v9.2/accounts?$filter=accountnumber eq 'DE-CS'&$select=accountid");
var id = accounts.GetProperty("value")[0].GetProperty("accountid").GetString();
Console.WriteLine((await Call(HttpMethod.Get, Dataverse, $"/api/data/v9.2/accounts({id})?$select=name")).GetProperty("name").GetString());
