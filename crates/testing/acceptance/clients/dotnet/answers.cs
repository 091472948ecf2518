#:package Microsoft.Identity.Client@4.92.0
#:package Microsoft.OData.Core@8.4.4
#:property PublishAot=false
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml;
using Microsoft.Identity.Client;
using Microsoft.OData;
using Microsoft.OData.Edm;
using Microsoft.OData.Edm.Csdl;
using Microsoft.OData.UriParser;

// Reads answers of both services with Microsoft's OData library, by the models of their own $metadata, and writes each anew: those
// of the requests below, and those that the folder holds which is named, as test benches keep them and as labs write them down. A line of JSON for each that
// does not come out as it went in, and one at the end with how many there were.
const string Dataverse = "https://contoso.crm4.dynamics.com/api/data/v9.2/";
const string Data = "https://usnconeboxax1aos.cloud.onebox.dynamics.com/data/";
string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new Exception($"no {name}");
var application = ConfidentialClientApplicationBuilder.Create(Variable("AZURE_CLIENT_ID"))
    .WithAuthority("https://login.microsoftonline.com/" + Variable("AZURE_TENANT_ID"))
    .WithClientSecret(Variable("AZURE_CLIENT_SECRET")).Build();
using var client = new HttpClient();
var relaxed = new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
var seen = new HashSet<string>();
var kinds = new SortedDictionary<string, int>();
int odd = 0;
(string Root, IEdmModel Model)[] services = [(Dataverse, await Model(Dataverse)), (Data, await Model(Data))];

await new Requests(Dataverse, services[0].Model, Send).Everything();
await new Requests(Data, services[1].Model, Send).Everything();
foreach (var line in args.Length > 1 ? File.ReadLines(args[1]) : [])
{
    if (line.StartsWith('#') || line.StartsWith('[') || line.Length == 0) continue;
    var root = line.StartsWith("dataverse ") ? Dataverse : Data;
    var query = line[(line.IndexOf(' ') + 1)..];
    if (!query.Contains('#')) await Send(HttpMethod.Get, root, query, null, null);
}
if (args.Length > 0 && args[0].Length > 0)
    foreach (var file in Directory.EnumerateFiles(args[0]))
    {
        if (file.EndsWith(".journal"))
        {
            foreach (var exchange in File.ReadLines(file)) Journaled(exchange);
            continue;
        }
        var text = File.ReadAllText(file);
        var head = JsonNode.Parse(text[..text.IndexOf('\n')]);
        var headers = head["headers"].AsObject().Select(one => KeyValuePair.Create(one.Key, (string)one.Value)).ToList();
        Judge(new Answer((string)head["method"], (string)head["url"], (int)head["status"], headers, text[(text.IndexOf('\n') + 1)..]));
    }
Console.WriteLine(JsonSerializer.Serialize(new { distinct = seen.Count, odd, kinds }));

async Task SignIn(string service)
{
    var token = await application.AcquireTokenForClient([new Uri(service).GetLeftPart(UriPartial.Authority) + "/.default"]).ExecuteAsync();
    client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);
}

async Task<IEdmModel> Model(string root)
{
    await SignIn(root);
    using var reader = XmlReader.Create(await client.GetStreamAsync(root + "$metadata"));
    if (!CsdlReader.TryParse(reader, out var model, out var unread)) throw new Exception(string.Join("; ", unread));
    return model;
}

async Task<Answer> Send(HttpMethod method, string root, string target, string body, Dictionary<string, string> headers)
{
    if (current != root) { await SignIn(root); current = root; }
    var request = new HttpRequestMessage(method, root + target);
    if (body != null)
    {
        request.Content = new StringContent(body, Encoding.UTF8);
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(headers != null && headers.Remove("Content-Type", out var type) ? type : "application/json");
    }
    foreach (var (name, value) in headers ?? []) request.Headers.TryAddWithoutValidation(name, value);
    using var answer = await client.SendAsync(request);
    var all = answer.Headers.Concat(answer.Content.Headers).Select(one => KeyValuePair.Create(one.Key, string.Join(",", one.Value))).ToList();
    var found = new Answer(method.Method, root + target, (int)answer.StatusCode, all, await answer.Content.ReadAsStringAsync());
    Judge(found);
    return found;
}

// An exchange as a lab writes it down; of a longer body it has the beginning.
void Journaled(string line)
{
    JsonNode exchange;
    try { exchange = JsonNode.Parse(line); }
    catch (JsonException) { return; } // a lab was killed there
    if (exchange["answer"] is not JsonObject answer || answer["headers"] is not JsonObject told) return;
    if (exchange["surface"] is not JsonValue surface || (string)surface is not ("dataverse" or "aos")) return;
    var body = answer["body"] switch { JsonObject json => json.ToJsonString(relaxed), JsonValue text => (string)text, _ => null };
    // JSON that is no object there was cut, and so was what is as long as a record may be
    if (body == null || answer["body"] is JsonValue && (body.StartsWith('{') || Encoding.UTF8.GetByteCount(body) > 64 * 1024 - 8)) return;
    var headers = told.Select(one => KeyValuePair.Create(one.Key, one.Value is JsonArray all ? string.Join(",", all) : (string)one.Value)).ToList();
    // the products are reached by https alone, and say so of their addresses however a lab was asked
    var url = Regex.Replace((string)exchange["request"]["url"], "^http:", "https:");
    Judge(new Answer((string)exchange["request"]["method"], url, (int)answer["status"], headers, body));
}

void Judge(Answer answer)
{
    var type = answer.GetHeader("Content-Type") ?? "";
    if (type.StartsWith("multipart/mixed"))
    {
        foreach (var part in answer.Parts()) Judge(part);
        return;
    }
    if (answer.Body.Length == 0 || !type.StartsWith("application/json") || answer.GetHeader("OData-Version") == null) return;
    // what Finance & Operations says where it is no OData that answers
    if (answer.Body.StartsWith("{\"Message\":")) return;
    // where it was asked: under another name, in another version
    var root = Regex.Match(answer.Url, "^https://[^/]+(/api/data/v9[.][0-9]|/namespaces/AXSF/data|/data)(?=/|$)").Value + "/";
    if (root.Length == 1) return;
    var model = services[root.Contains("/api/data/") ? 0 : 1].Model;
    // what a request comes to is one answer however often it is asked; ids and times differ
    if (!seen.Add(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(answer.StatusCode + answer.Body))))) return;
    string kind = "unread", why;
    try
    {
        string written;
        var copy = new Copy(model, root, answer);
        (kind, written) = copy.Made();
        // the library makes addresses of rows absolute
        var (one, other) = (JsonNode.Parse(answer.Body), JsonNode.Parse(Regex.Replace(written, $"(?<=@odata.editLink\":\"){Regex.Escape(root)}", "")));
        // the library knows neither FetchXML nor keys that are not told of, and of a part not what was asked: the set is compared
        // there, not what was chosen of it
        if (answer.Method == "PART" || !copy.Understood || new[] { "fetchXml=", "savedQuery=", "userQuery=" }.Any(answer.Url.Contains))
            foreach (var node in new[] { one, other }) Coarse(node.AsObject());
        why = Difference.Of(one, other, "");
    }
    catch (Exception fault)
    {
        why = $"{fault.GetType().Name}: {fault.Message}";
    }
    kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
    if (why == null) return;
    odd++;
    Console.WriteLine(JsonSerializer.Serialize(new { why, kind, answer.Method, answer.Url, answer.StatusCode, answer.Body }, relaxed));
}

static void Coarse(JsonObject body)
{
    if ((string)body["@odata.context"] is not string context || !context.Contains('#')) return;
    var (from, to) = (context.IndexOf('(', context.IndexOf('#')), context.LastIndexOf(')'));
    if (from > 0) body["@odata.context"] = context[..from] + context[(to + 1)..];
}

partial class Program { static string current = ""; }

// The requests that are made: of every set what can be asked of one, and what is refused.
sealed class Requests(string root, IEdmModel model, Func<HttpMethod, string, string, string, Dictionary<string, string>, Task<Answer>> send)
{
    static readonly Dictionary<string, string> All = new() { ["Prefer"] = "odata.include-annotations=\"*\"" };
    static readonly Dictionary<string, string> Back = new() { ["Prefer"] = "return=representation,odata.include-annotations=\"*\"" };

    Task<Answer> Get(string target, Dictionary<string, string> headers = null) => send(HttpMethod.Get, root, target, null, headers);
    Task<Answer> Post(string target, object body, Dictionary<string, string> headers = null) =>
        send(HttpMethod.Post, root, target, JsonSerializer.Serialize(body), headers == null ? null : new(headers));

    public async Task Everything()
    {
        if (root.Contains("/api/data/")) await Dataverse(); else await Finance();
        foreach (var set in model.EntityContainer.EntitySets().OrderBy(set => set.Name, StringComparer.Ordinal)) await Of(set);
        await Get("");
        await Get("nope");
        await Get("$nope");
    }

    async Task Dataverse()
    {
        await Get("WhoAmI");
        await Get("WhoAmI()");
        await Get("RetrieveVersion()");
        await Get("Nope()");
        for (var at = 0; at < 6; at++)
        {
            var contact = await Post("contacts", new { firstname = $"Reader {at}", lastname = "O'Neil", annualincome = 12345.6789m + at, birthdate = "1990-05-17", donotemail = at % 2 == 0 }, Back);
            var account = await Post("accounts?$select=name,revenue,numberofemployees", new { name = $"Reader {at} \"ü\" <&>", revenue = 5000000m * at, numberofemployees = at, industrycode = at + 1,
                primarycontactid = new { lastname = $"First {at}", Contact_Tasks = new[] { new { subject = "one" }, new { subject = "two" } } },
                Account_Tasks = new[] { new { subject = $"task {at}", scheduledend = "2026-03-01T12:30:00+07:00" } } }, Back);
            await send(HttpMethod.Patch, root, $"accounts({account.Text("accountid")})", "{\"telephone1\":\"555\",\"creditlimit\":1.5}", new(Back));
            await Post($"accounts({account.Text("accountid")})/contact_customer_accounts/$ref", new Dictionary<string, string> { ["@odata.id"] = $"{root}contacts({contact.Text("contactid")})" });
            foreach (var query in new[] { "", "?$select=name", "?$expand=primarycontactid($select=fullname,annualincome)", "?$select=name&$expand=Account_Tasks($select=subject,scheduledend),primarycontactid",
                "/primarycontactid", "/name", "/revenue", "/telephone2", "/createdon", "/statecode", "/primarycontactid/fullname", "/contact_customer_accounts?$select=fullname", "/Account_Tasks?$count=true", "/nope", "/primarycontactid/$ref", "/Account_Tasks/$ref" })
            {
                await Get($"accounts({account.Text("accountid")}){query}");
                await Get($"accounts({account.Text("accountid")}){query}", All);
            }
        }
        await Post("accounts", new { nope = 1 });
        await Post("accounts", new { name = 1 });
        await Post("accounts", new { numberofemployees = "x" });
        await Post("accounts", new { industrycode = 9999 });
        await Post("accounts", new { name = new string('x', 200) });
        await send(HttpMethod.Post, root, "accounts", "{", null);
        await send(HttpMethod.Patch, root, "accounts(00000000-0000-0000-0000-000000000001)", "{\"name\":\"x\"}", new() { ["If-Match"] = "*" });
        await send(HttpMethod.Delete, root, "accounts(00000000-0000-0000-0000-000000000001)", null, null);
        await Get("accounts(nope)");
        await Get("accounts?fetchXml=<fetch count='2'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>", All);
        await Get("accounts?$apply=groupby((statecode),aggregate(revenue with sum as total,$count as n))");
        await Get("accounts?$apply=aggregate(revenue with average as mean)", All);
        await Get("EntityDefinitions?$select=LogicalName&$filter=LogicalName eq 'account'");
        var boundary = new Dictionary<string, string> { ["Content-Type"] = "multipart/mixed;boundary=b" };
        string Part(string request, string body = "") => $"--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n";
        var parts = new[] { "accounts?$select=name&$top=2", "accounts?$top=1", "contacts?$select=nope", "nope", "WhoAmI", "contacts?$select=fullname&$count=true&$top=1" };
        await send(HttpMethod.Post, root, "$batch", string.Concat(parts.Select(part => Part($"GET {root}{part}"))) + "--b--\r\n", new(boundary) { ["Prefer"] = "odata.continue-on-error" });
    }

    async Task Finance()
    {
        for (var at = 0; at < 6; at++)
        {
            await Post("CustomersV3", new { dataAreaId = "usmf", CustomerGroupId = "30", SalesCurrencyCode = "USD", OrganizationName = $"Reader {at}", CreditLimit = 1000.5m * at });
            await Post("CustomerGroups", new { dataAreaId = "usmf", CustomerGroupId = $"R{at}", Description = $"Group {at}" });
            await Post("VendorGroups", new { dataAreaId = "usmf", VendorGroupId = $"R{at}", Description = $"Group {at}" });
            await Post("Currencies", new { CurrencyCode = $"R{at}X", Name = $"Currency {at}", Symbol = "R" });
            await Post("ExchangeRates", new { RateTypeName = "Default", FromCurrency = $"R{at}X", ToCurrency = "USD", StartDate = "2026-01-01T12:00:00Z", Rate = 110.25m + at });
            await Post("PaymentTerms", new { dataAreaId = "usmf", Name = $"Net{at}", Description = "Net" });
            await Post("ReleasedProductsV2", new { dataAreaId = "usmf", ItemNumber = $"R{at}", ProductNumber = $"R{at}", SearchName = "Reader" });
            await Post("VendorsV2", new { dataAreaId = "usmf", VendorAccountNumber = $"R{at}", VendorGroupId = "R0", VendorOrganizationName = "Reader", CurrencyCode = "USD" });
            await Post("SalesOrderHeadersV2", new { dataAreaId = "usmf", SalesOrderNumber = $"R{at}", OrderingCustomerAccountNumber = "x", CurrencyCode = "USD" });
        }
        await Post("CustomersV3", new { nope = 1 });
        await Post("CustomersV3", new { dataAreaId = "usmf", CustomerGroupId = "nope" });
        await Post("CustomerGroups", new { dataAreaId = "usmf", CustomerGroupId = "R0" });
        await Get("CustomersV3(dataAreaId='usmf',CustomerAccount='nope')");
        await Get("Currencies('USD')");
        await Get("Currencies('USD')/Name");
        await Get("Currencies('EUR')/ExchangeRate");
        await Get("Currencies?$expand=ExchangeRate($select=Rate)");
        await Get("ExchangeRates?$expand=FromCurrencies&$select=Rate");
        await Get("CustomersV3?cross-company=true&$filter=IsFinalUser eq Microsoft.Dynamics.DataEntities.NoYes'No'&$top=2");
        await send(HttpMethod.Put, root, "CustomersV3(dataAreaId='usmf',CustomerAccount='nope')", "{}", null);
    }

    // Of a set: pages, columns one by one, rows by their addresses, links.
    async Task Of(IEdmEntitySet set)
    {
        var columns = set.EntityType.StructuralProperties().Select(column => column.Name).ToList();
        var keys = set.EntityType.Key().ToList();
        var company = root.Contains("/data/") && !root.Contains("/api/data/") ? "&cross-company=true" : "";
        foreach (var query in new[] { "$top=3", "$top=1&$count=true", $"$select={columns[0]}", $"$select={string.Join(',', columns.Take(4))}&$top=2", $"$orderby={columns[0]} desc&$top=1",
            $"$filter={keys[0].Name} eq null", "$select=Nope", "$filter=Nope eq 1", "$orderby=Nope", "$top=-1", "$expand=Nope", "$count=perhaps" })
        {
            await Get($"{set.Name}?{query}{company}");
            await Get($"{set.Name}?{query}{company}", All);
        }
        await Get($"{set.Name}?$select={columns[0]}", new() { ["Prefer"] = "odata.maxpagesize=1" });
        foreach (var link in set.EntityType.NavigationProperties().Take(6)) await Get($"{set.Name}?$expand={link.Name}&$top=2{company}");
        var page = await Get($"{set.Name}?$top=1{company}");
        var row = page.StatusCode == 200 ? JsonNode.Parse(page.Body)["value"]?.AsArray().FirstOrDefault() : null;
        if (row == null) return;
        string Key(IEdmStructuralProperty key) => key.Type.IsString() ? $"'{((string)row[key.Name]).Replace("'", "''")}'" : row[key.Name].ToString();
        var address = $"{set.Name}({(keys.Count == 1 ? Key(keys[0]) : string.Join(',', keys.Select(key => $"{key.Name}={Key(key)}")))})";
        await Get(address);
        await Get(address, All);
        await Get($"{address}?$select={columns[^1]}");
        foreach (var column in columns.Take(25)) await Get($"{address}/{column}");
        foreach (var link in set.EntityType.NavigationProperties().Take(6)) await Get($"{address}/{link.Name}");
    }
}

// An answer as it came, and as it is written anew.
sealed class Answer(string method, string url, int status, List<KeyValuePair<string, string>> headers, string body) : IODataResponseMessage
{
    readonly MemoryStream stream = body == null ? new() : new(Encoding.UTF8.GetBytes(body));
    public string Method => method;
    public string Url => url;
    public string Body => body;
    public int StatusCode { get => status; set => status = value; }
    public IEnumerable<KeyValuePair<string, string>> Headers => headers;
    public string GetHeader(string name) => headers.FirstOrDefault(one => one.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
    public void SetHeader(string name, string value)
    {
        headers.RemoveAll(one => one.Key.Equals(name, StringComparison.OrdinalIgnoreCase));
        headers.Add(KeyValuePair.Create(name, value));
    }
    public Stream GetStream() => stream;
    public string Written() => Encoding.UTF8.GetString(stream.ToArray());
    public string Text(string member) => (string)(body.StartsWith('{') ? JsonNode.Parse(body)[member] : null) ?? throw new Exception($"{method} {url}: {status} {body}");

    // The parts of a batch, change sets opened.
    public IEnumerable<Answer> Parts() => Parts(body, GetHeader("Content-Type"));
    IEnumerable<Answer> Parts(string text, string type)
    {
        var boundary = "--" + type[(type.IndexOf("boundary=") + 9)..].Trim('"');
        foreach (var piece in text.Split(boundary).Skip(1).Where(piece => !piece.StartsWith("--")))
        {
            var (head, rest) = Halves(piece.TrimStart('\r', '\n'));
            var inner = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Type: multipart/mixed"));
            if (inner != null) { foreach (var part in Parts(rest, inner)) yield return part; continue; }
            var (lines, content) = Halves(rest);
            var all = lines.Split("\r\n");
            var own = all.Skip(1).Select(line => KeyValuePair.Create(line[..line.IndexOf(':')], line[(line.IndexOf(':') + 1)..].Trim())).ToList();
            yield return new Answer("PART", url, int.Parse(all[0].Split(' ')[1]), own, content.TrimEnd('\r', '\n'));
        }
    }
    static (string, string) Halves(string text)
    {
        var at = text.IndexOf("\r\n\r\n");
        return at < 0 ? (text.TrimEnd('\r', '\n'), "") : (text[..at], text[(at + 4)..]);
    }
}

// Reads an answer and writes what was read.
sealed class Copy(IEdmModel model, string root, Answer answer)
{
    readonly Answer target = new(answer.Method, answer.Url, answer.StatusCode,
        [KeyValuePair.Create("Content-Type", answer.GetHeader("Content-Type")), KeyValuePair.Create("OData-Version", "4.0")], null);

    // Whether the library could read what was asked.
    public bool Understood { get; private set; } = true;

    public (string, string) Made()
    {
        var settings = new ODataMessageReaderSettings { ShouldIncludeAnnotation = _ => true, BaseUri = new Uri(root) };
        settings.MessageQuotas.MaxReceivedMessageSize = long.MaxValue;
        using var reader = new ODataMessageReader(answer, settings, model);
        var kind = answer.StatusCode >= 400 ? ODataPayloadKind.Error : reader.DetectPayloadKind().First().PayloadKind;
        target.PreferenceAppliedHeader().AnnotationFilter = "*";
        using var writer = new ODataMessageWriter((IODataResponseMessage)target,
            new ODataMessageWriterSettings { ODataUri = Uri(), EnableMessageStreamDisposal = false, EnableCharactersCheck = false }, model);
        switch (kind)
        {
            case ODataPayloadKind.ResourceSet: Rows(reader.CreateODataResourceSetReader(), writer); break;
            case ODataPayloadKind.Resource: Rows(reader.CreateODataResourceReader(), writer); break;
            case ODataPayloadKind.Error: writer.WriteError(reader.ReadError(), true); break;
            case ODataPayloadKind.ServiceDocument: writer.WriteServiceDocument(Relative(reader.ReadServiceDocument())); break;
            case ODataPayloadKind.EntityReferenceLink: writer.WriteEntityReferenceLink(reader.ReadEntityReferenceLink()); break;
            case ODataPayloadKind.EntityReferenceLinks: writer.WriteEntityReferenceLinks(reader.ReadEntityReferenceLinks()); break;
            case ODataPayloadKind.Property or ODataPayloadKind.IndividualProperty:
                var property = reader.ReadProperty();
                // its name is in the address alone
                property.Name ??= new Uri(answer.Url).Segments[^1];
                writer.WriteProperty(property);
                break;
            default: throw new Exception($"a payload of kind {kind}");
        }
        return (kind.ToString(), target.Written());
    }

    // Of a part only the answer tells what was asked.
    string Asked()
    {
        if (answer.Method != "PART" || answer.StatusCode >= 400) return answer.Url;
        var told = Regex.Match((string)JsonNode.Parse(answer.Body)["@odata.context"] ?? "", @"#(\w+)\(([\w,]+)\)");
        return told.Success ? $"{root}{told.Groups[1]}?$select={told.Groups[2]}" : answer.Url;
    }

    // What was asked for, from which the library works out the context.
    ODataUri Uri()
    {
        try
        {
            return new ODataUriParser(model, new Uri(root), new Uri(Asked())) { Resolver = new ODataUriResolver { EnableCaseInsensitive = false } }.ParseUri();
        }
        catch (Exception fault) when (fault is ODataException or ArgumentException)
        {
            Understood = false;
            return new ODataUri { ServiceRoot = new Uri(root) };
        }
    }

    // The addresses as they stand there: the library reads them as absolute ones.
    ODataServiceDocument Relative(ODataServiceDocument document)
    {
        foreach (var one in document.EntitySets.Cast<ODataServiceDocumentElement>().Concat(document.Singletons).Concat(document.FunctionImports))
            one.Url = new Uri(root).MakeRelativeUri(one.Url);
        return document;
    }

    // Where the rows are from, as the answer says it.
    IEdmEntitySet Set()
    {
        var context = (string)JsonNode.Parse(answer.Body)["@odata.context"] ?? "#";
        var name = context[(context.IndexOf('#') + 1)..];
        return model.FindDeclaredEntitySet(name.Split('(', '/')[0]);
    }

    // Everything is read before anything is written: of a row nothing is whole before its end.
    void Rows(ODataReader reader, ODataMessageWriter messages)
    {
        var open = new Stack<Node>();
        Node top = null;
        while (reader.Read())
        {
            switch (reader.State)
            {
                case ODataReaderState.ResourceSetStart or ODataReaderState.ResourceStart or ODataReaderState.NestedResourceInfoStart:
                    var node = new Node(reader.Item);
                    if (open.TryPeek(out var parent)) parent.Inner.Add(node); else top = node;
                    open.Push(node);
                    break;
                case ODataReaderState.ResourceSetEnd or ODataReaderState.ResourceEnd or ODataReaderState.NestedResourceInfoEnd:
                    open.Pop().Item = reader.Item;
                    break;
                default: throw new Exception($"the state {reader.State}");
            }
        }
        var writer = top.Item is ODataResourceSet
            ? messages.CreateODataResourceSetWriter(Set(), Set()?.EntityType) : messages.CreateODataResourceWriter(Set(), Set()?.EntityType);
        Write(top, writer);
        writer.Flush();
    }

    void Write(Node node, ODataWriter writer)
    {
        switch (node.Item)
        {
            case ODataResourceSet set: writer.WriteStart(set); break;
            case ODataResource row: writer.WriteStart(Bare(row)); break;
            case ODataNestedResourceInfo info: writer.WriteStart(Full ? info : new ODataNestedResourceInfo { Name = info.Name, IsCollection = info.IsCollection }); break;
            default: writer.WriteStart((ODataResource)null); break;
        }
        foreach (var inner in node.Inner) Write(inner, writer);
        writer.WriteEnd();
    }

    bool Full => answer.GetHeader("Content-Type").Contains("odata.metadata=full");

    // A row without what the library works out by itself, unless all of it was said.
    ODataResource Bare(ODataResource row) => Full ? row : new ODataResource
    {
        // of a reference there is nothing else
        Id = row.Properties.Any() ? null : row.Id,
        TypeName = row.TypeName, ETag = row.ETag, Properties = row.Properties, InstanceAnnotations = row.InstanceAnnotations, TypeAnnotation = row.TypeAnnotation,
    };

    sealed class Node(ODataItem item) { public ODataItem Item = item; public readonly List<Node> Inner = []; }
}

static class Difference
{
    static string Shown(JsonNode node) => node?.ToJsonString() ?? "null";

    // What is different, by its place; null where nothing is. Annotations may stand in another order, members may not.
    public static string Of(JsonNode one, JsonNode other, string place)
    {
        if (one is JsonObject left && other is JsonObject right)
        {
            var members = left.Where(member => !member.Key.Contains('@')).Select(member => member.Key).ToList();
            var written = right.Where(member => !member.Key.Contains('@')).Select(member => member.Key).ToList();
            foreach (var name in left.Select(member => member.Key).Union(right.Select(member => member.Key)))
            {
                if (!left.ContainsKey(name)) return $"{place}/{name} was not there: {Shown(right[name])}";
                if (!right.ContainsKey(name)) return $"{place}/{name} is gone: {Shown(left[name])}";
                if (Of(left[name], right[name], $"{place}/{name}") is string found) return found;
            }
            return members.SequenceEqual(written) ? null : $"{place} has another order: {string.Join(' ', members)} / {string.Join(' ', written)}";
        }
        if (one is JsonArray rows && other is JsonArray others)
        {
            if (rows.Count != others.Count) return $"{place} has {others.Count} of {rows.Count}";
            return rows.Select((row, at) => Of(row, others[at], $"{place}[{at}]")).FirstOrDefault(found => found != null);
        }
        return Shown(one) == Shown(other) ? null : $"{place}: {Shown(one)} / {Shown(other)}";
    }
}
