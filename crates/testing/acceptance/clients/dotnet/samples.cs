#:package Microsoft.Identity.Client@4.92.0
#:property PublishAot=false
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Identity.Client;

// What Microsoft's samples of the Web API do, with rows of our own: basic operations, conditional operations, or queries, by the
// argument. A line for each value that is read.
const string Root = "https://contoso.crm4.dynamics.com/api/data/v9.2/";
const string Formatted = "@OData.Community.Display.V1.FormattedValue";
string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new Exception($"no {name}");
var application = ConfidentialClientApplicationBuilder.Create(Variable("AZURE_CLIENT_ID"))
    .WithAuthority("https://login.microsoftonline.com/" + Variable("AZURE_TENANT_ID"))
    .WithClientSecret(Variable("AZURE_CLIENT_SECRET")).Build();
var token = await application.AcquireTokenForClient(["https://contoso.crm4.dynamics.com/.default"]).ExecuteAsync();
using var client = new HttpClient { BaseAddress = new Uri(Root) };
client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);

switch (args[0])
{
    case "basic": await Basic(); break;
    case "conditional": await Conditional(); break;
    default: await Queries(); break;
}

void Say(string name, object value) => Console.WriteLine($"{name}: {value}");

async Task Basic()
{
    // one row: made, changed, read, and a column of it alone
    var contact = await Create("contacts", new { firstname = "Ragna", lastname = "Holm" });
    await Update(contact, new { annualincome = 80000, jobtitle = "Junior Developer" });
    var seen = await Get($"{contact}?$select=fullname,annualincome,jobtitle,description", annotated: true);
    Say("fullname", seen["fullname"]);
    Say("income", seen["annualincome"].ToJsonString());
    Say("income as shown", seen["annualincome" + Formatted]);
    Say("description", seen["description"]?.ToString() ?? "null");
    Say("currency", seen["_transactioncurrencyid_value" + Formatted]);
    Say("currency's link", seen["_transactioncurrencyid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"]);
    Say("currency's table", seen["_transactioncurrencyid_value@Microsoft.Dynamics.CRM.lookuplogicalname"]);
    await Update(contact, new { annualincome = 95000, jobtitle = "Senior Developer", description = "Assignment to be decided" });
    seen = await Get($"{contact}?$select=annualincome,jobtitle,description", annotated: true);
    Say("changed", $"{seen["annualincome" + Formatted]}, {seen["jobtitle"]}, {seen["description"]}");
    await Send(HttpMethod.Put, $"{contact}/telephone1", 204, new { value = "555-0105" });
    Say("telephone", (await Get($"{contact}/telephone1"))["value"]);

    // a row that belongs to another
    var account = await Create("accounts", new Dictionary<string, object> { ["name"] = "Holm Ltd", ["telephone1"] = "555-0160", ["primarycontactid@odata.bind"] = contact });
    seen = await Get($"{account}?$select=name,&$expand=primarycontactid($select=fullname,jobtitle,annualincome)", annotated: true);
    Say("context", ((string)seen["@odata.context"]).Split('#')[1]);
    Say("primary contact", $"{seen["primarycontactid"]["fullname"]}, {seen["primarycontactid"]["annualincome" + Formatted]}");
    Say("its etag", ((string)seen["primarycontactid"]["@odata.etag"]).StartsWith("W/\""));

    // rows that are made together
    object ToDo(string subject, int day) => new { subject, description = $"{subject}, described", scheduledstart = $"2023-04-{day}T03:00:00+07:00", scheduledend = $"2023-04-{day}T04:00:00+07:00", scheduleddurationminutes = 60 };
    var second = await Create("accounts", new { name = "Berg Inc", primarycontactid = new { firstname = "Nils", lastname = "Berg", jobtitle = "Manager", annualincome = 110000,
        Contact_Tasks = new[] { ToDo("Sign", 19), ToDo("Ship", 20), ToDo("Bill", 21) } } });
    seen = await Get($"{second}?$select=name&$expand=primarycontactid($select=fullname,contactid)");
    var other = $"contacts({seen["primarycontactid"]["contactid"]})";
    seen = await Get($"{other}?$select=fullname&$expand=Contact_Tasks($select=subject,description,scheduledstart,scheduledend)", annotated: true);
    foreach (var task in seen["Contact_Tasks"].AsArray())
        Say("task", $"{task["subject"]}, {task["scheduledstart"]}, {task["scheduledstart" + Formatted]}");

    // joined and taken apart
    await Send(HttpMethod.Post, $"{account}/contact_customer_accounts/$ref", 204, new Dictionary<string, object> { ["@odata.id"] = Root + other });
    seen = await Get($"{account}/contact_customer_accounts?$select=fullname,jobtitle");
    Say("context of the joined", ((string)seen["@odata.context"]).Split('#')[1]);
    Say("joined", string.Join(", ", seen["value"].AsArray().Select(row => $"{row["fullname"]} {row["jobtitle"]}")));
    await Send(HttpMethod.Delete, $"{account}/contact_customer_accounts({other[9..^1]})/$ref", 204);
    Say("joined afterwards", (await Get($"{account}/contact_customer_accounts?$select=fullname"))["value"].AsArray().Count);

    // a role
    var me = await Get("WhoAmI");
    var role = await Create("roles", new Dictionary<string, object> { ["name"] = "Sample role", ["businessunitid@odata.bind"] = $"businessunits({me["BusinessUnitId"]})" });
    var mine = $"systemusers({me["UserId"]})/systemuserroles_association";
    await Send(HttpMethod.Post, $"{mine}/$ref", 204, new Dictionary<string, object> { ["@odata.id"] = Root + role });
    seen = await Get($"{mine}?$select=name&$filter=roleid eq {role[6..^1]}");
    Say("roles", string.Join(", ", seen["value"].AsArray().Select(row => row["name"])));
    await Send(HttpMethod.Delete, $"{mine}({role[6..^1]})/$ref", 204);

    foreach (var row in new[] { contact, account, second, other, role }) await Send(HttpMethod.Delete, row, 204);
    Say("left", string.Join(" ", await Task.WhenAll(new[] { contact, account, second, other, role }.Select(async row => (int)(await Answer(HttpMethod.Get, row)).StatusCode))));
}

async Task Conditional()
{
    var made = await Answer(HttpMethod.Post, "accounts?$select=name,revenue,telephone1,description",
        new { name = "Holm Ltd", telephone1 = "555-0100", revenue = 5000000, description = "Parent of the others" }, [("Prefer", "return=representation")]);
    var text = await made.Content.ReadAsStringAsync();
    var row = JsonNode.Parse(text);
    Say("made", (int)made.StatusCode);
    Say("members", string.Join(" ", row.AsObject().Select(member => member.Key).Where(name => !name.Contains('@')).Take(4)));
    Say("revenue", row["revenue"].ToJsonString());
    Say("with it", row["accountid"] != null && row["_transactioncurrencyid_value"] != null);
    var account = $"accounts({row["accountid"]})";
    var first = (string)row["@odata.etag"];
    Say("unchanged", (int)(await Answer(HttpMethod.Get, $"{account}?$select=name", null, [("If-None-Match", first)])).StatusCode);
    await Send(HttpMethod.Put, $"{account}/telephone1", 204, new { value = "555-0001" });
    var changed = await Answer(HttpMethod.Get, $"{account}?$select=name,telephone1", null, [("If-None-Match", first)]);
    row = JsonNode.Parse(await changed.Content.ReadAsStringAsync());
    Say("changed", $"{(int)changed.StatusCode}, {row["telephone1"]}, {((string)row["@odata.etag"] == first ? "the same" : "another")} etag");
    var second = (string)row["@odata.etag"];
    await Refused("deleted with the old etag", HttpMethod.Delete, account, null, [("If-Match", first)]);
    await Refused("updated with the old etag", HttpMethod.Patch, account, new { telephone1 = "555-0005" }, [("If-Match", first)]);
    Say("updated with the new etag", (int)(await Answer(HttpMethod.Patch, account, new { telephone1 = "555-0005", revenue = 7500000 }, [("If-Match", second)])).StatusCode);
    Say("revenue afterwards", (await Get($"{account}?$select=revenue", annotated: true))["revenue" + Formatted]);
    await Refused("made where there is one", HttpMethod.Patch, account, new { name = "x" }, [("If-None-Match", "*")]);
    Say("cleaned up", string.Join(" ", (await Batch([$"DELETE {account}"])).Select(part => part.Split('\n')[0].Trim())));
}

async Task Queries()
{
    object ToDo(string subject, int minutes) => new { subject, description = $"{subject}, described", actualdurationminutes = minutes };
    object[] tasks = [ToDo("Task one", 30), ToDo("Task two", 45), ToDo("Task three", 60)];
    object Contact(string first, string title, int income) => new { firstname = first, lastname = "Berg (sample)", jobtitle = title, annualincome = income, Contact_Tasks = tasks };
    var account = await Create("accounts", new { name = "Berg & Sons (sample)", Account_Tasks = tasks, primarycontactid = Contact("Yngve", "Coffee Master", 45000),
        contact_customer_accounts = new[] { Contact("Solveig", "Senior Manager", 52000), Contact("Nils", "Senior Manager", 55500), Contact("Runa", "Marketing Lead", 31000), Contact("Maren", "Sales Manager", 38000),
            Contact("Sigurd", "Senior Buyer", 78000), Contact("Roald", "Purchasing Manager", 68500), Contact("Peder", "Marketing Lead", 86000), Contact("Jon", "Senior International Sales Manager", 81400) } });
    var id = account[9..^1];
    var select = "$select=fullname,jobtitle,annualincome";
    var below = $"_parentcustomerid_value eq {id}";

    var seen = await Get($"{account}?$select=name&$expand=primarycontactid({select})", annotated: true);
    Say("primary contact", $"{seen["primarycontactid"]["fullname"]}, {seen["primarycontactid"]["annualincome" + Formatted]}");
    await Rows("contains", $"contacts?{select}&$filter=contains(fullname,'(sample)')and {below}");
    await Rows("last hours", $"contacts?{select}&$filter=Microsoft.Dynamics.CRM.LastXHours(PropertyName=@p1,PropertyValue=@p2) and {below}&@p1='createdon'&@p2='1'");
    await Rows("compared", $"contacts?{select}&$filter=contains(fullname,'(SAMPLE)') and annualincome gt 55000 and {below}");
    await Rows("parentheses", $"contacts?{select}&$filter=contains(fullname,'(sample)') and (contains(jobtitle,'senior') or contains(jobtitle,'manager')) and annualincome gt 55000 and {below}");
    await Rows("not", $"contacts?{select}&$filter=not contains(jobtitle,'Manager') and {below}");
    await Rows("ordered", $"contacts?{select}&$filter={below}&$orderby=jobtitle asc,annualincome desc");
    await Rows("aliases", $"contacts?{select}&$filter=contains(@p1,'(sample)') and @p2 eq @p3&$orderby=@p4 asc, @p5 desc&@p1=fullname&@p2=_parentcustomerid_value&@p3={id}&@p4=jobtitle&@p5=annualincome");
    await Rows("five", $"contacts?{select}&$filter={below}&$top=5");
    var count = await (await Answer(HttpMethod.Get, "contacts/$count")).Content.ReadAsByteArrayAsync();
    Say("count", $"{Encoding.UTF8.GetString(count, 3, count.Length - 3)} behind {Convert.ToHexString(count, 0, 3)}");
    var six = $"contacts?{select}&$filter=(contains(jobtitle,'senior') or contains(jobtitle,'manager')) and {below}&$count=true";
    seen = await Get(six, annotated: true);
    Say("counted", $"{seen["@odata.count"]} {seen["@Microsoft.Dynamics.CRM.totalrecordcount"]}");
    var page = JsonNode.Parse(await (await Answer(HttpMethod.Get, six, null, [("Prefer", "odata.maxpagesize=4")])).Content.ReadAsStringAsync());
    var next = (string)page["@odata.nextLink"];
    Say("a page", $"{page["value"].AsArray().Count} of {page["@odata.count"]}, {next.Contains("$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie")}");
    page = JsonNode.Parse(await (await Answer(HttpMethod.Get, next, null, [("Prefer", "odata.maxpagesize=4")])).Content.ReadAsStringAsync());
    Say("the next", $"{string.Join(" ", First(page))}, {page["@odata.nextLink"]?.ToString() ?? "no more"}");
    seen = await Get($"tasks?$select=subject&$filter=regardingobjectid_contact_task/_accountid_value eq {id}&$expand=regardingobjectid_contact_task($select=fullname;$expand=parentcustomerid_account($select=name;$expand=createdby($select=fullname)))");
    var deep = seen["value"][0]["regardingobjectid_contact_task"];
    Say("deep", $"{seen["value"].AsArray().Count}, {deep["fullname"]}, {deep["parentcustomerid_account"]["name"]}, {deep["parentcustomerid_account"]["createdby"]["fullname"]}, {deep["@odata.etag"]?.ToString() ?? "no etag"}");
    seen = await Get($"{account}?$select=name&$expand=primarycontactid($select=fullname),contact_customer_accounts($select=fullname),Account_Tasks($select=subject)");
    Say("several", $"{seen["contact_customer_accounts"].AsArray().Count} {string.Join(", ", seen["Account_Tasks"].AsArray().Select(task => task["subject"]))}");
    seen = await Get($"{account}/contact_customer_accounts?$apply=aggregate(annualincome with average as average,annualincome with sum as total,annualincome with min as minimum,annualincome with max as maximum)", annotated: true);
    foreach (var alias in new[] { "average", "total", "minimum", "maximum" })
        Say(alias, $"{seen["value"][0][alias]} {seen["value"][0][alias + Formatted]} {seen["value"][0][alias + "@OData.Community.Display.V1.AttributeName"]}");
    string Fetch(string paging) => "contacts?fetchXml=" + Uri.EscapeDataString($"<fetch {paging}><entity name='contact'><attribute name='fullname'/><attribute name='jobtitle'/><order descending='true' attribute='fullname'/><filter><condition attribute='fullname' operator='like' value='%(sample)%'/><condition attribute='parentcustomerid' operator='eq' value='{id}'/></filter></entity></fetch>");
    foreach (var part in await Batch([$"GET {Fetch("")}", $"GET {Fetch("count='3' page='1'")}&$count=true"]))
    {
        var body = JsonNode.Parse(part[part.IndexOf('{')..]);
        var cookie = (string)body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"];
        Say("fetched", $"{string.Join(" ", First(body))}, {body["@Microsoft.Dynamics.CRM.morerecords"]?.ToString() ?? "no more"}, {cookie?[..40] ?? "no cookie"}");
    }
    seen = await Get("savedqueries?$select=name,savedqueryid&$filter=name eq 'Active Accounts'");
    var view = (string)seen["value"][0]["savedqueryid"];
    seen = await Get($"accounts?savedQuery={view}");
    Say("view", $"{view}, {seen["value"].AsArray().Any(one => (string)one["accountid"] == id)}");
    var query = await Create("userqueries", new { name = "My User Query", description = "Contacts", querytype = 0, returnedtypecode = "contact",
        fetchxml = "<fetch><entity name='contact'><attribute name='fullname'/><order attribute='fullname'/><filter><condition attribute='jobtitle' operator='like' value='%Manager%'/><condition attribute='annualincome' operator='gt' value='55000'/></filter></entity></fetch>" });
    Say("my query", string.Join(" ", First(await Get($"contacts?userQuery={query[12..^1]}"))));
    var rows = (await Get($"{account}/contact_customer_accounts?$select=contactid"))["value"].AsArray().Select(row => $"contacts({row["contactid"]})").ToList();
    rows.AddRange([account, $"contacts({(await Get($"{account}?$expand=primarycontactid($select=contactid)"))["primarycontactid"]["contactid"]})", query]);
    Say("cleaned up", string.Join(" ", (await Batch(rows.Select(row => $"DELETE {row}"))).Select(part => part.Split(' ')[1]).Distinct()));
    Say("tasks left", Encoding.UTF8.GetString((await (await Answer(HttpMethod.Get, "tasks/$count")).Content.ReadAsByteArrayAsync())[3..]));
}

IEnumerable<string> First(JsonNode answer) => answer["value"].AsArray().Select(row => ((string)row["fullname"]).Split(' ')[0]);
async Task Rows(string name, string query) => Say(name, string.Join(" ", First(await Get(query))));

async Task<HttpResponseMessage> Answer(HttpMethod method, string path, object body = null, (string, string)[] headers = null)
{
    var request = new HttpRequestMessage(method, path);
    (string Name, string Value)[] all = [("OData-MaxVersion", "4.0"), ("OData-Version", "4.0"), ("Accept", "application/json"), .. headers ?? []];
    if (!all.Any(one => one.Name == "If-None-Match")) all = [.. all, ("If-None-Match", "null")];
    foreach (var (name, value) in all) request.Headers.TryAddWithoutValidation(name, value);
    if (body != null) request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
    return await client.SendAsync(request);
}

async Task<HttpResponseMessage> Send(HttpMethod method, string path, int status, object body = null, (string, string)[] headers = null)
{
    var answer = await Answer(method, path, body, headers);
    if ((int)answer.StatusCode != status) throw new Exception($"{method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    return answer;
}

async Task<string> Create(string set, object body) =>
    (await Send(HttpMethod.Post, set, 204, body)).Headers.GetValues("OData-EntityId").Single()[Root.Length..];

Task Update(string row, object body) => Send(HttpMethod.Patch, row, 204, body, [("If-Match", "*")]);

async Task<JsonNode> Get(string path, bool annotated = false)
{
    var answer = await Send(HttpMethod.Get, path, 200, null, annotated ? [("Prefer", "odata.include-annotations=\"*\"")] : null);
    return JsonNode.Parse(await answer.Content.ReadAsStringAsync());
}

async Task Refused(string what, HttpMethod method, string path, object body, (string, string)[] headers)
{
    var answer = await Answer(method, path, body, headers);
    Say(what, $"{(int)answer.StatusCode} {JsonNode.Parse(await answer.Content.ReadAsStringAsync())["error"]["message"]}");
}

// The parts of the answer, each from its status on.
async Task<string[]> Batch(IEnumerable<string> requests)
{
    var text = string.Concat(requests.Select(request => $"--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request.Replace(" ", " /api/data/v9.2/")} HTTP/1.1\r\nAccept: application/json\r\nPrefer: odata.include-annotations=\"*\"\r\n\r\n\r\n")) + "--batch_1--\r\n";
    var request = new HttpRequestMessage(HttpMethod.Post, "$batch") { Content = new StringContent(text) };
    request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/mixed; boundary=\"batch_1\"");
    var answer = await (await client.SendAsync(request)).Content.ReadAsStringAsync();
    return answer.Split("HTTP/1.1")[1..].Select(part => "HTTP/1.1" + part[..part.IndexOf("--batchresponse")]).ToArray();
}
