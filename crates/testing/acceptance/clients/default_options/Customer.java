import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.identity.EnvironmentCredentialBuilder;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

class Customer {
    static final String AOS =
        System.getenv().getOrDefault("AOS", "https://usnconeboxax1aos.cloud.onebox.dynamics.com");
    static final String DATAVERSE = "https://contoso.crm4.dynamics.com";
    static final HttpClient HTTP = HttpClient.newHttpClient();
    static TokenCredential credential;

    static String call(String method, String resource, String path, String body) throws Exception {
        var token = credential.getTokenSync(new TokenRequestContext().addScopes(resource + "/.default")).getToken();
        var request = HttpRequest.newBuilder(URI.create(resource + path)).header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/json").method(method, HttpRequest.BodyPublishers.ofString(body));
        var answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() >= 400) throw new Exception(answer.statusCode() + " " + answer.body());
        return answer.body();
    }

    static String member(String name, String json) {
        return json.replaceAll("(?s).*\"" + name + "\":\\s*\"([^\"]*)\".*", "$1");
    }

    public static void main(String[] arguments) throws Exception {
        credential = arguments.length == 0
            ? new DefaultAzureCredentialBuilder().build()
            : new EnvironmentCredentialBuilder().build();
        call("POST", AOS, "/data/CustomersV3", """
            {"dataAreaId": "usmf", "CustomerAccount": "DE-JV", "OrganizationName": "Forest Wholesales",
            "PartyType": "Organization", "CustomerGroupId": "30", "SalesCurrencyCode": "EUR"}""");
        var accounts = call("GET", DATAVERSE,
            "/api/data/v9.2/accounts?$filter=accountnumber%20eq%20'DE-JV'&$select=accountid", "");
        var path = "/api/data/v9.2/accounts(" + member("accountid", accounts) + ")?$select=name";
        System.out.println(member("name", call("GET", DATAVERSE, path, "")));
        System.exit(0);
    }
}
